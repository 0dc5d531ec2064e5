package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// page returns the page of the results.
func (r *Results) page() string {
	p := &page{r: r}
	p.line("# How soon changes are effective")
	p.line("")
	p.line("Made by `make bench-gateway`, of [%s](%s); the package documentation of [e2e/bench](../bench/doc.go) says how it is", dataFile, dataFile)
	p.line("measured. Times are milliseconds from just before the write to the Kubernetes API. *Delta* is a Kong with the companion,")
	p.line("*full* the same Kong without it: each change is a load of everything. Each of the N routes has an Ingress, a Service and")
	p.line("%d endpoints of its own. The machine does all the work: control plane, gateway, endpoints and questions.", perRoute)
	p.line("")
	p.line("![Median time until a change is effective](%s)", plotFile)
	p.line("")
	p.machine()
	p.goals()
	p.changes()
	p.load()
	p.resources()
	p.own()
	p.oddities()
	return p.text.String()
}

type page struct {
	document
	r *Results
}

// document builds Markdown.
type document struct{ text strings.Builder }

func (d *document) line(format string, args ...any) { fmt.Fprintf(&d.text, format+"\n", args...) }

// table starts a table. The first column is text, the others are numbers.
func (d *document) table(columns ...string) {
	d.line("")
	d.row(columns...)
	d.row(append([]string{"---"}, slices.Repeat([]string{"--:"}, len(columns)-1)...)...)
}

func (d *document) row(cells ...string) { d.line("| %s |", strings.Join(cells, " | ")) }

// ms returns a time in milliseconds, with the significant digits.
func ms(d time.Duration) string {
	switch m := float64(d) / float64(time.Millisecond); {
	case d == 0:
		return "–"
	case m < 10:
		return fmt.Sprintf("%.1f", m)
	default:
		return thousands(int64(m + 0.5))
	}
}

// thousands returns a number with its thousands separated by spaces.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + " " + text[i:]
	}
	return text
}

func mib(bytes int64) string { return thousands((bytes + 1<<19) >> 20) }

// conditions adds the machine, the software and the time of the measurement.
func (d *document) conditions(m Machine, begun, ended Moment) {
	d.line("| | |")
	d.row("---", "---")
	d.row("machine", fmt.Sprintf("%d cores of %s, %.0f GiB, Linux %s", m.Cores, m.Processor, float64(m.Memory)/(1<<30), m.Kernel))
	versions := fmt.Sprintf("Kong %s with 2 workers, Go %s", m.Kong, m.Go)
	if m.Kubernetes != "" {
		versions += ", Kubernetes " + m.Kubernetes
	}
	d.row("versions", versions+"; kube-sync at "+m.Commit)
	d.row("begun", fmt.Sprintf("%s, load average %s", begun.At.Format(time.DateTime+" MST"), begun.Load))
	d.row("ended", fmt.Sprintf("%s, load average %s", ended.At.Format(time.DateTime+" MST"), ended.Load))
}

func (p *page) machine() {
	o := p.r.Options
	p.conditions(p.r.Machine, p.r.Begun, p.r.Ended)
	p.row("changes", fmt.Sprintf("of each kind up to %d without and %d with load on each gateway, as many as %s allow but at least %d and %d; "+
		"*n* says how many there were", o.Changes, o.Changes, o.Budget, o.AtLeast, (o.AtLeast+1)/2))
	if o.Besides != "" {
		p.row("besides", o.Besides)
	}
}

// changes adds a table for each number of routes, without and with load.
func (p *page) changes() {
	for _, loaded := range []bool{false, true} {
		p.line("")
		if loaded {
			p.line("## Until effective, with %d requests a second", p.r.Options.Rate)
		} else {
			p.line("## Until effective, without other requests")
		}
		p.line("")
		p.line("*First* is the median until a first answer is right, *stale* the longest until a last one was not. Of fewer than 100")
		p.line("changes the 99th percentile is the longest. The ratio is that of the medians until effective.")
		for _, routes := range p.r.Options.Sizes {
			p.line("")
			p.line("### %s routes, %s endpoints", thousands(int64(routes)), thousands(int64(routes*perRoute)))
			p.table("", "delta: n", "first", "**p50**", "p90", "p99", "max", "stale", "full: n", "first", "**p50**", "p90", "p99", "max", "stale", "**full / delta**")
			for _, k := range kinds {
				p.kind(routes, loaded, k)
			}
		}
	}
}

func (p *page) kind(routes int, loaded bool, k kind) {
	delta, full := p.r.samples(routes, Delta, loaded, k.Name), p.r.samples(routes, Full, loaded, k.Name)
	row := append([]string{k.Name}, slices.Concat(k.figures(delta), k.figures(full))...)
	p.row(append(row, ratio(delta, full))...)
}

// figures returns the cells of a kind of change for one way.
func (k kind) figures(samples []Sample) []string {
	if len(samples) == 0 {
		return slices.Repeat([]string{"–"}, 7)
	}
	q := of(samples, effective)
	n := fmt.Sprint(len(samples))
	if never := len(samples) - len(times(samples, effective)); never > 0 {
		n += fmt.Sprintf(", %d never", never)
	}
	begins := ms(of(samples, first).P50)
	if k.stays {
		begins = "–"
	}
	return []string{n, begins, "**" + ms(q.P50) + "**", ms(q.P90), ms(q.P99), ms(q.Max), ms(of(samples, lastStale).Max)}
}

func ratio(delta, full []Sample) string {
	d, f := of(delta, effective).P50, of(full, effective).P50
	if d == 0 || f == 0 {
		return "–"
	}
	const precise = 10
	if r := float64(f) / float64(d); r < precise {
		return fmt.Sprintf("**%.1f**", r)
	} else {
		return fmt.Sprintf("**%s**", thousands(int64(r+0.5)))
	}
}

func (p *page) load() {
	p.line("")
	p.line("## The requests meanwhile")
	p.line("")
	p.line("Half of them go to the pods that come and go, half to all routes, over new connections; the time of one begins when it was due.")
	p.table("routes", "way", "requests", "errors", "p50", "p99", "max", "changes a minute")
	for _, g := range p.r.Gateways {
		for _, phase := range g.Phases {
			if l := phase.Load; l != nil {
				changes := 0
				for _, samples := range phase.Changes {
					changes += len(samples)
				}
				p.row(thousands(int64(g.Routes)), string(g.Way), thousands(int64(l.Requests)), thousands(int64(l.Errors)),
					ms(l.Latency.P50), ms(l.Latency.P99), ms(l.Latency.Max), fmt.Sprintf("%.0f", float64(changes)/phase.Took.Minutes()))
			}
		}
	}
}

func (p *page) resources() {
	p.line("")
	p.line("## What it takes")
	p.line("")
	p.line("Resident memory in MiB, Kong's that of its master and both workers added up; use of processor time over %s without changes", p.r.Options.Idle)
	p.line("and requests, as a share of one core; seconds from the start of Kong, with nothing kept from before, until the gateway is ready.")
	p.table("routes", "way", "start to ready", "kube-sync: ready", "after changes", "highest", "idle", "Kong: ready", "after changes", "idle")
	for _, g := range p.r.Gateways {
		p.row(thousands(int64(g.Routes)), string(g.Way), fmt.Sprintf("%.1f s", g.Ready.Seconds()),
			mib(g.AtStart.KubeSync), mib(g.AtEnd.KubeSync), mib(g.AtEnd.KubeSyncPeak), percent(g.Idle.KubeSync),
			mib(g.AtStart.Kong), mib(g.AtEnd.Kong), percent(g.Idle.Kong))
	}
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// own adds kube-sync's own measurements.
func (p *page) own() {
	p.line("")
	p.line("## What kube-sync says")
	p.line("")
	p.line("Mean of its metric `change_to_acknowledged_seconds`: from the arrival of a change until Kong has acknowledged it and, with")
	p.line("the companion, its workers follow; by kind of the object.")
	p.table("routes", "way", "object", "changes", "mean")
	for _, g := range p.r.Gateways {
		for _, kind := range slices.Sorted(maps.Keys(g.Acknowledged)) {
			a := g.Acknowledged[kind]
			p.row(thousands(int64(g.Routes)), string(g.Way), kind, fmt.Sprint(a.Count),
				ms(time.Duration(a.Seconds/float64(a.Count)*float64(time.Second))))
		}
	}
}

// oddities adds everything that should not have happened.
func (p *page) oddities() {
	p.line("")
	p.line("## What should not have been")
	p.line("")
	before := p.text.Len()
	for _, g := range p.r.Gateways {
		at := fmt.Sprintf("%s routes, %s", thousands(int64(g.Routes)), g.Way)
		for _, phase := range g.Phases {
			at := at
			if phase.Load != nil {
				at += ", with load"
				if phase.Load.Errors > 0 {
					p.line("* %s: %d of %d requests failed: `%s`", at, phase.Load.Errors, phase.Load.Requests, oneLine(phase.Load.Examples[0]))
				}
			}
			if len(phase.Late) > 0 {
				p.line("* %s: requests reached %d removed pods after all workers had stopped to answer by them: %s", at, len(phase.Late), phase.Late[0])
			}
			for _, k := range kinds {
				p.unexpected(at+", "+k.Name, phase.Changes[k.Name])
			}
		}
	}
	if p.text.Len() == before {
		p.line("Nothing: all changes were effective in time, no answer was other than before or after the change, no request reached a pod")
		p.line("after its removal was effective, and none of the load's failed.")
	}
}

func (p *page) unexpected(at string, samples []Sample) {
	never, answers, example := 0, 0, ""
	for _, s := range samples {
		if s.Never {
			never++
		}
		if answers += s.Unexpected; example == "" && len(s.Examples) > 0 {
			example = s.Examples[0]
		}
	}
	if never > 0 {
		p.line("* %s: %d of %d were not effective within %s", at, never, len(samples), p.r.Options.Within)
	}
	if answers > 0 {
		p.line("* %s: %d answers were neither as before nor as after: `%s`", at, answers, oneLine(example))
	}
}

func oneLine(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "`", "'")
}
