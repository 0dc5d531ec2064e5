package bench

import (
	"fmt"
	"slices"
	"time"
)

// goal is a goal and what was measured. If it was not measured, the value is empty.
type goal struct {
	what    string
	measure func(r *Results) (value string, reached bool)
}

// largest is the largest number of routes, with which the goals are the hardest.
const largest = 10000

var goals = slices.Concat(
	[]goal{
		within("pod added, 10 000 routes: p50 ≤ 30 ms", largest, "pod added", median, 30*time.Millisecond),
		within("pod added, 10 000 routes: p99 ≤ 150 ms", largest, "pod added", almostAll, 150*time.Millisecond),
		within("pod removed, 10 000 routes: p50 ≤ 30 ms", largest, "pod removed", median, 30*time.Millisecond),
		within("pod removed, 10 000 routes: p99 ≤ 150 ms", largest, "pod removed", almostAll, 150*time.Millisecond),
		faster("pod added, 10 000 routes: 200 times as fast as full", "pod added", 200),
		faster("pod removed, 10 000 routes: 200 times as fast as full", "pod removed", 200),
		within("new route, 100 routes: p50 ≤ 60 ms", 100, "new route", median, 60*time.Millisecond),
		within("new route, 1 000 routes: p50 ≤ 120 ms", 1000, "new route", median, 120*time.Millisecond),
		within("new route, 10 000 routes: p50 ≤ 1 s", largest, "new route", median, time.Second),
		within("new plugin, 10 000 routes: p50 ≤ 100 ms", largest, "new plugin", median, 100*time.Millisecond),
		within("new consumer credential, 10 000 routes: p50 ≤ 100 ms", largest, "new consumer credential", median, 100*time.Millisecond),
		within("new certificate, 10 000 routes: p50 ≤ 100 ms", largest, "new certificate", median, 100*time.Millisecond),
		within("rotated certificate, 10 000 routes: p50 ≤ 100 ms", largest, "rotated certificate", median, 100*time.Millisecond),
	},
	[]goal{
		{"requests failed during changes: 0", failures},
		{"requests to a removed pod after effective: 0", late},
		{"kube-sync's resident memory at 10 000 routes: ≤ 200 MiB at any time", memory},
		{"kube-sync without changes, at any size: ≤ 0.5 % of a core", idle},
	},
)

func median(q Quantiles) time.Duration    { return q.P50 }
func almostAll(q Quantiles) time.Duration { return q.P99 }

func within(what string, routes int, kind string, of func(Quantiles) time.Duration, most time.Duration) goal {
	return goal{what, func(r *Results) (string, bool) {
		samples := r.samples(routes, Delta, false, kind)
		if len(samples) == 0 {
			return "", false
		}
		q := of(quantiles(times(samples, effective)))
		return ms(q) + " ms", q > 0 && q <= most
	}}
}

func faster(what, kind string, least float64) goal {
	return goal{what, func(r *Results) (string, bool) {
		delta := of(r.samples(largest, Delta, false, kind), effective).P50
		full := of(r.samples(largest, Full, false, kind), effective).P50
		if delta == 0 || full == 0 {
			return "", false
		}
		times := float64(full) / float64(delta)
		return thousands(int64(times)) + " times", times >= least
	}}
}

// failures counts the failures of the delta way. Failures of full loads are Kong's own.
func failures(r *Results) (string, bool) {
	requests, errors := 0, 0
	for _, g := range r.Gateways {
		for _, phase := range g.Phases {
			if g.Way == Delta && phase.Load != nil {
				requests += phase.Load.Requests
				errors += phase.Load.Errors
			}
		}
	}
	if requests == 0 {
		return "", false
	}
	return fmt.Sprintf("%s of %s", thousands(int64(errors)), thousands(int64(requests))), errors == 0
}

func late(r *Results) (string, bool) {
	n, pods := 0, 0
	for _, g := range r.Gateways {
		for _, phase := range g.Phases {
			if g.Way == Delta {
				n += len(phase.Late)
				pods += len(phase.Changes["pod removed"])
			}
		}
	}
	if pods == 0 {
		return "", false
	}
	return fmt.Sprintf("%d of %d pods", n, pods), n == 0
}

func memory(r *Results) (string, bool) {
	g := r.gateway(largest, Delta)
	if g == nil {
		return "", false
	}
	const most = 200 << 20
	return mib(g.AtEnd.KubeSyncPeak) + " MiB", g.AtEnd.KubeSyncPeak <= most
}

func idle(r *Results) (string, bool) {
	var worst Gateway
	for _, g := range r.Gateways {
		if g.Way == Delta && g.Idle.KubeSync >= worst.Idle.KubeSync {
			worst = g
		}
	}
	const most = 0.005
	return fmt.Sprintf("%.2f %% at %s", 100*worst.Idle.KubeSync, thousands(int64(worst.Routes))), worst.Idle.KubeSync <= most
}

// goals adds a row for each goal that was measured.
func (p *page) goals() {
	p.line("")
	p.line("## To reach, with the companion and without other requests")
	p.table("", "measured", "reached")
	for _, g := range goals {
		value, reached := g.measure(p.r)
		answer := map[bool]string{true: "yes", false: "**no**"}[reached]
		if value == "" {
			value, answer = "not measured", "–"
		}
		p.row(g.what, value, answer)
	}
}
