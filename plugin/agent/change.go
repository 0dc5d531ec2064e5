package agent

import (
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// fault is the kind of an object with a fault, and the reason.
type fault struct {
	kind   unit.Kind
	reason string
}

// noteFaults tells the observer how many objects have the faults that an object has or had.
func (l *loop) noteFaults(key unit.Key) {
	verdicts := l.graph.Verdicts(key)
	var reasons []string
	for _, v := range verdicts {
		if !v.OK && !slices.Contains(reasons, v.Reason) {
			reasons = append(reasons, v.Reason)
		}
	}
	before := l.broken[key]
	if len(verdicts) > 0 {
		l.broken[key] = reasons
	} else {
		delete(l.broken, key)
	}
	for _, reason := range before {
		if !slices.Contains(reasons, reason) {
			l.countFault(fault{key.Kind, reason}, -1)
		}
	}
	for _, reason := range reasons {
		if !slices.Contains(before, reason) {
			l.countFault(fault{key.Kind, reason}, 1)
		}
	}
}

func (l *loop) countFault(f fault, more int) {
	l.faults[f] += more
	l.observer.Faults(f.kind, f.reason, l.faults[f])
	if l.faults[f] == 0 {
		delete(l.faults, f)
	}
}

// awaiting has when the oldest of some changes arrived, and when it was stored, by kind.
type awaiting struct{ arrived, written map[unit.Kind]time.Time }

func newAwaiting() awaiting {
	return awaiting{map[unit.Kind]time.Time{}, map[unit.Kind]time.Time{}}
}

// earliest sets the time of a kind, unless an earlier one is known.
func earliest(times map[unit.Kind]time.Time, kind unit.Kind, at time.Time) {
	if first, ok := times[kind]; !ok || at.Before(first) {
		times[kind] = at
	}
}

// acknowledged notes that Kong has the whole of a change.
func (l *loop) acknowledged(outcome gateway.Outcome) {
	l.acked = l.change
	if outcome.Sent {
		for kind, at := range l.since {
			earliest(l.awaiting.arrived, kind, at)
		}
		for kind, at := range l.written {
			earliest(l.awaiting.written, kind, at)
		}
	}
	clear(l.since)
	clear(l.written)
	if outcome.Effective {
		l.effective()
	}
}

// effective notes that every worker uses what Kong has acknowledged.
func (l *loop) effective() {
	l.tracer.Effective()
	if len(l.awaiting.arrived) == 0 {
		return
	}
	oldest := time.Now()
	for _, at := range l.awaiting.arrived {
		if at.Before(oldest) {
			oldest = at
		}
	}
	l.log.Debug("Every worker uses the configuration", "change", l.acked, "since_arrival", time.Since(oldest))
	l.observer.Effective(l.acked, l.awaiting.arrived, l.awaiting.written)
	clear(l.awaiting.arrived)
	clear(l.awaiting.written)
}
