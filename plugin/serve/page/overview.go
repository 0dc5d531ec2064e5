package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kube-sync/kube-sync/plugin/inspect"
)

const (
	// shownChanges is the number of changes on the overview.
	shownChanges = 8
	// shownObjects is the number of objects of a change.
	shownObjects = 3
	// silentAfter is how long the API server may be silent. An idle watch hears of it once a minute.
	silentAfter = 2 * time.Minute
	// The times before expiry from which a certificate needs attention.
	expiresSoon  = 30 * 24 * time.Hour
	expiresAlert = 7 * 24 * time.Hour
)

// overview is the first page.
type overview struct {
	frame
	Status       inspect.Status
	State        state
	Numbers      []figure
	Attention    []attention
	Hidden       string
	Certificates []certificate
	Changes      []change
}

// state is the state of the gateway in two sentences.
type state struct{ Class, Title, Detail string }

// figure is a number with its name.
type figure struct {
	Value, Name, Class, Link string
}

// attention is an object with faults or refusals.
type attention struct {
	Object        inspect.Object
	Since         time.Time
	Refused, Kept bool
	Findings      []finding
	More          int
}

// finding is one fault, and what the manual says to do.
type finding struct{ Field, Reason, Message, Do string }

// certificate is a certificate with the time that is left.
type certificate struct {
	inspect.Certificate
	Class, Expires string
}

// change is a change as a row of a table.
type change struct {
	inspect.Change
	More int
	Took string
	Sent string
}

func newOverview(s inspect.Status) overview {
	o := overview{
		frame: newFrame("Overview", "/"), Status: s, State: stateOf(s), Numbers: figures(s),
		Attention: attentionTo(s.Refused, s.Faults), Changes: changesOf(s.Changes[:min(len(s.Changes), shownChanges)]),
	}
	if hidden := s.FaultsTotal + s.RefusedTotal - len(s.Faults) - len(s.Refused); hidden > 0 {
		o.Hidden = fmt.Sprintf("The newest are shown; %s more. kubectl get events -A --field-selector source=kube-sync,type=Warning lists them.", plural(hidden, "object"))
	}
	for _, c := range s.Certificates {
		o.Certificates = append(o.Certificates, certificateOf(c, s.Time))
	}
	g := s.Gateway
	o.Gateway = strings.TrimSpace(strings.Join(slices.DeleteFunc([]string{
		place(g), "kube-sync " + g.KubeSync, orNothing("Kong ", g.Kong), "since " + g.Started.UTC().Format("2006-01-02 15:04") + " UTC",
	}, func(s string) bool { return s == "" }), " · "))
	return o
}

func place(g inspect.Gateway) string {
	if g.Namespace == "" {
		return g.Pod
	}
	return g.Namespace + "/" + g.Pod
}

func orNothing(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// stateOf sums up whether the gateway does what the cluster wants.
func stateOf(s inspect.Status) state {
	c := s.Configuration
	switch {
	case c.Failure != "":
		return state{"bad", "Kong does not take the configuration", sentence(c.Failure) + " It is tried again; Kong keeps the configuration that it has."}
	case c.Hash == "":
		return state{"warn", "Waiting for the first configuration", "Kong serves what it had before, if it had something."}
	case !c.LastContact.IsZero() && s.Time.Sub(c.LastContact) > silentAfter:
		return state{"warn", "The cluster does not answer", "It was last heard of at " + clock(c.LastContact) + ". Kong serves the last configuration."}
	case c.Pending:
		return state{"warn", "Changes are on their way", "Kong has not acknowledged all of them yet."}
	case !c.Effective:
		return state{"warn", "Some workers use an older configuration", "They take over the new one."}
	}
	what := "what the cluster holds"
	if s.Gateway.Source != "cluster" {
		what = "what the manifests say"
	}
	if s.RefusedTotal > 0 {
		return state{"warn", "In effect, without what is refused", "Every worker serves " + what + ", except for " + plural(s.RefusedTotal, "object") + " that Kong or a limit refuses."}
	}
	return state{"good", "In effect", "Every worker serves " + what + "."}
}

func figures(s inspect.Status) []figure {
	figures := []figure{}
	for _, f := range []struct{ typ, name, link string }{
		{"routes", "routes", "/routes"}, {"services", "services", ""}, {"targets", "endpoints", ""}, {"plugins", "plugins", ""}, {"consumers", "consumers", ""},
	} {
		figures = append(figures, figure{Value: number(s.Configuration.Entities[f.typ]), Name: f.name, Link: f.link})
	}
	refused := figure{Value: number(s.RefusedTotal), Name: "refused objects"}
	faulty := figure{Value: number(s.FaultsTotal), Name: "objects with faults"}
	if s.RefusedTotal > 0 {
		refused.Class = "bad"
	}
	if s.FaultsTotal > 0 {
		faulty.Class = "warn"
	}
	return append(figures, refused, faulty)
}

// attentionTo joins refusals and faults of the same object. Refused objects come first.
func attentionTo(refused []inspect.Refusal, faulty []inspect.Faulty) (all []attention) {
	const reason = "KongConfigurationApplyFailed"
	for _, r := range refused {
		a := attention{Object: r.Object, Since: r.Since, Refused: true, Kept: r.Kept}
		for _, message := range r.Messages {
			a.Findings = append(a.Findings, finding{Reason: reason, Message: message, Do: advice(reason)})
		}
		all = append(all, a)
	}
	for _, f := range faulty {
		at := slices.IndexFunc(all, func(a attention) bool { return a.Object == f.Object })
		if at < 0 {
			at, all = len(all), append(all, attention{Object: f.Object, Since: f.Since})
		}
		all[at].More = f.More
		for _, fault := range f.Faults {
			if all[at].Refused && fault.Reason == reason { // said already
				continue
			}
			all[at].Findings = append(all[at].Findings, finding{fault.Field, fault.Reason, fault.Message, advice(fault.Reason)})
		}
	}
	return all
}

func certificateOf(c inspect.Certificate, now time.Time) certificate {
	left := c.NotAfter.Sub(now)
	days := int(left / (24 * time.Hour))
	switch {
	case c.Unreadable != "":
		return certificate{c, "bad", "unreadable"}
	case left <= 0:
		return certificate{c, "bad", "expired"}
	case days == 0:
		return certificate{c, "bad", "in less than a day"}
	case left < expiresAlert:
		return certificate{c, "bad", "in " + plural(days, "day")}
	case left < expiresSoon:
		return certificate{c, "warn", "in " + plural(days, "day")}
	}
	return certificate{c, "good", c.NotAfter.UTC().Format(time.DateOnly)}
}

func changesOf(changes []inspect.Change) (rows []change) {
	for _, c := range changes {
		row := change{Change: c, Sent: "difference"}
		if c.Full {
			row.Sent = "everything"
		}
		row.Sent += ", " + size(c.Bytes)
		if c.Pieces > 1 {
			row.Sent += " in " + plural(c.Pieces, "piece")
		}
		row.Objects = c.Objects[:min(len(c.Objects), shownObjects)]
		row.More = c.ObjectsTotal - len(row.Objects)
		if !c.Effective.IsZero() && !c.Seen.IsZero() {
			row.Took = took(c.Effective.Sub(c.Seen))
		}
		rows = append(rows, row)
	}
	return rows
}

func took(d time.Duration) string {
	if d < 10*time.Second {
		return number(int(d.Milliseconds())) + " ms"
	}
	return d.Round(100 * time.Millisecond).String()
}

func size(n int) string {
	if n < 10_000 {
		return number(n) + " B"
	}
	return number(n/1000) + " kB"
}
