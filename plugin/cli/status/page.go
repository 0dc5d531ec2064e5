package status

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kube-sync/kube-sync/plugin/cli/output"
	"github.com/kube-sync/kube-sync/plugin/inspect"
)

// OfGateway writes the state of one gateway.
func OfGateway(p *output.Page, s inspect.Status) {
	p.Heading("Gateway")
	p.Table(nil, gatewayRows(s)...)
	for _, warning := range s.Gateway.Warnings {
		p.Line(output.Styled(output.Yellow, "warning:"), warning)
	}
	if len(s.Workers) > 0 {
		p.Heading("Workers")
		p.Table([]string{"WORKER", "PROCESS", "CONFIGURATION", "STATE"}, workerRows(s.Workers)...)
	}
	if len(s.Replicas) > 0 {
		p.Heading("Replicas")
		p.Table([]string{"ADDRESS", "SERVICE", "STATE"}, replicaRows(s.Replicas)...)
	}
	refused(p, s)
	faults(p, s.Faults, s.FaultsTotal)
	if len(s.Certificates) > 0 {
		p.Heading("Certificates")
		p.Table([]string{"EXPIRES", "SERVER NAMES", "SECRET"}, certificateRows(s)...)
	}
	if len(s.Changes) > 0 {
		p.Heading("Changes")
		p.Table([]string{"CHANGE", "WRITTEN", "SEEN", "EFFECTIVE", "TOOK", "OBJECTS"}, changeRows(s.Changes)...)
	}
	unknown(p, s.Unknown)
}

func gatewayRows(s inspect.Status) [][]any {
	c := s.Configuration
	state := output.Styled(output.Green, "in effect")
	switch {
	case c.Failure != "":
		state = output.Styled(output.Red, "not accepted: "+c.Failure)
	case c.Hash == "":
		state = output.Styled(output.Yellow, "waiting for the first configuration")
	case c.Pending:
		state = output.Styled(output.Yellow, "changes are on their way")
	case !c.Effective:
		state = output.Styled(output.Yellow, "some workers use an older one since "+clock(c.LaggingSince))
	}
	var entities []string
	for _, typ := range slices.Sorted(maps.Keys(c.Entities)) {
		entities = append(entities, fmt.Sprintf("%d %s", c.Entities[typ], typ))
	}
	rows := [][]any{
		{"kube-sync", s.Gateway.KubeSync}, {"Kong", orUnknown(s.Gateway.Kong)}, {"pod", orUnknown(strings.TrimPrefix(s.Gateway.Namespace+"/"+s.Gateway.Pod, "/"))},
		{"class", s.Gateway.Class}, {"source", s.Gateway.Source}, {"started", age(s.Time, s.Gateway.Started)},
		{"configuration", state}, {"hash", orUnknown(c.Hash)}, {"entities", strings.Join(entities, ", ")},
		{"applied", age(s.Time, c.Applied)}, {"known to be current", age(s.Time, c.Current)},
	}
	if !c.LastContact.IsZero() {
		rows = append(rows, []any{"API server", "last heard of " + age(s.Time, c.LastContact)})
	}
	if c.FullLoads != "" {
		rows = append(rows, []any{"full loads only", c.FullLoads})
	}
	return rows
}

func workerRows(workers []inspect.Worker) (rows [][]any) {
	for _, w := range workers {
		state := output.Styled(output.Green, "current")
		if !w.Current {
			state = output.Styled(output.Yellow, "older")
		}
		rows = append(rows, []any{fmt.Sprintf("%s %d", w.Subsystem, w.ID), w.PID, orUnknown(w.Hash), state})
	}
	return rows
}

func replicaRows(replicas []inspect.Replica) (rows [][]any) {
	for _, r := range replicas {
		state := output.Styled(output.Green, "ready")
		if !r.Ready {
			state = output.Styled(output.Yellow, "not ready")
		}
		address := r.Address
		if r.Self {
			address += " (this one)"
		}
		rows = append(rows, []any{address, r.Service.String(), state})
	}
	return rows
}

func refused(p *output.Page, s inspect.Status) {
	if s.RefusedTotal == 0 {
		return
	}
	p.Heading(fmt.Sprintf("Refused (%d)", s.RefusedTotal))
	for _, r := range s.Refused {
		effect := "not in effect"
		if r.Kept {
			effect = "the last good version serves"
		}
		p.Line(output.Styled(output.Red, r.Object.String()+":"), effect, output.Styled(output.Faint, "since "+clock(r.Since)))
		for _, message := range r.Messages {
			p.Line(" ", message)
		}
	}
}

func faults(p *output.Page, objects []inspect.Faulty, total int) {
	if total == 0 {
		return
	}
	heading := fmt.Sprintf("Objects with faults (%d)", total)
	if len(objects) < total {
		heading = fmt.Sprintf("Objects with faults (the newest %d of %d)", len(objects), total)
	}
	p.Heading(heading)
	for _, o := range objects {
		p.Line(output.Styled(output.Yellow, o.Object.String()+":"), output.Styled(output.Faint, "since "+clock(o.Since)))
		for _, f := range o.Faults {
			where := f.Reason
			if f.Field != "" {
				where += " at " + f.Field
			}
			p.Line(" ", output.Styled(output.Bold, where+":"), f.Message)
		}
		if o.More > 0 {
			p.Line(" ", fmt.Sprintf("and %d more", o.More))
		}
	}
}

func certificateRows(s inspect.Status) (rows [][]any) {
	for _, c := range s.Certificates {
		expires := output.Cell{Text: c.NotAfter.UTC().Format(time.DateOnly)}
		switch left := c.NotAfter.Sub(s.Time); {
		case c.Unreadable != "":
			expires = output.Styled(output.Red, "unreadable")
		case left <= 0:
			expires = output.Styled(output.Red, expires.Text+" (expired)")
		case left < 30*24*time.Hour:
			expires = output.Styled(output.Yellow, fmt.Sprintf("%s (in %d days)", expires.Text, int(left.Hours()/24)))
		}
		rows = append(rows, []any{expires, strings.Join(c.ServerNames, " "), c.Object.String()})
	}
	return rows
}

func changeRows(changes []inspect.Change) (rows [][]any) {
	const named = 3
	for _, c := range changes {
		var objects []string
		for _, o := range c.Objects[:min(len(c.Objects), named)] {
			name := o.String()
			if o.Deleted {
				name += " (deleted)"
			}
			objects = append(objects, name)
		}
		if more := c.ObjectsTotal - len(objects); more > 0 {
			objects = append(objects, fmt.Sprintf("and %d more", more))
		}
		took := ""
		if !c.Effective.IsZero() {
			took = c.Effective.Sub(c.Seen).Round(time.Millisecond).String()
		}
		written := "unknown"
		if !c.Written.IsZero() {
			written = c.Written.UTC().Format(time.TimeOnly)
		}
		rows = append(rows, []any{c.ID, written, clock(c.Seen), clock(c.Effective), took, strings.Join(objects, ", ")})
	}
	return rows
}

// Page writes what a cluster knows.
func (c Cluster) Page(p *output.Page) {
	p.Heading("Pods")
	var rows [][]any
	for _, pod := range c.Pods {
		state := output.Styled(output.Green, "ready")
		if !pod.Ready {
			state = output.Styled(output.Yellow, "not ready")
		}
		writes := ""
		if pod.Writes {
			writes = "writes statuses"
		}
		rows = append(rows, []any{pod.Namespace + "/" + pod.Name, state, pod.Restarts, age(c.Time, pod.Started), writes})
	}
	p.Table([]string{"POD", "STATE", "RESTARTS", "STARTED", ""}, rows...)
	if len(c.Leases) > 0 {
		p.Heading("Leases")
		rows = nil
		for _, l := range c.Leases {
			holder := output.Cell{Text: l.Holder}
			switch {
			case l.Holder == "":
				holder = output.Styled(output.Yellow, "none")
			case l.Expired:
				holder = output.Styled(output.Red, l.Holder+" (expired)")
			}
			rows = append(rows, []any{l.Namespace + "/" + l.Name, holder, age(c.Time, l.Renewed)})
		}
		p.Table([]string{"LEASE", "HOLDER", "RENEWED"}, rows...)
	}
	faults(p, c.Faults, c.FaultsTotal)
	unknown(p, c.Unknown)
}

func unknown(p *output.Page, all []string) {
	if len(all) == 0 {
		return
	}
	p.Heading("Unknown")
	for _, one := range all {
		p.Line("-", one)
	}
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

// clock returns a time of a day to the millisecond, in UTC.
func clock(t time.Time) string {
	if t.IsZero() {
		return "not yet"
	}
	return t.UTC().Format("15:04:05.000")
}

// age returns how long ago a time was.
func age(now, t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return now.Sub(t).Round(time.Second).String() + " ago"
}
