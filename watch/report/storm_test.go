package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
)

// stormOf returns Ingresses of a namespace.
func stormOf(namespace string, names int) (objects []runtime.Object, keys []unit.Key) {
	for i := range names {
		object := watchtest.Ingress(fmt.Sprintf("i%05d", i))
		object.Namespace = namespace
		objects = append(objects, object)
		keys = append(keys, unit.Key{Kind: unit.Ingress, Namespace: namespace, Name: object.Name})
	}
	return objects, keys
}

func TestAStormOfStatusesDelaysNoOtherNamespace(t *testing.T) {
	objects, keys := stormOf("attacker", watchtest.Storm)
	f := newFakes(append(objects, watchtest.Ingress("web"))...)
	o := &watchtest.Order{Release: make(chan struct{})}
	f.Core.PrependReactor("patch", "ingresses", func(action clienttesting.Action) (bool, runtime.Object, error) {
		o.Note(action.GetNamespace())
		return true, &networkingv1.Ingress{}, nil
	})
	w, _ := f.writer(t, Options{UpdateStatus: true, Addresses: []string{"192.0.2.1"}})
	for _, key := range keys {
		w.Report(Report{Object: key, Programmed: true})
	}
	watchtest.Eventually(t, "the storm is being written", func() bool { return o.Count() > 0 })
	w.Report(programmed("web")...)
	close(o.Release)
	watchtest.Eventually(t, "the other namespace's status is written", func() bool { _, ok := o.Before("shop"); return ok })
	// The workers reach the fake client in any order; without turns all of the storm comes first.
	if n, _ := o.Before("shop"); n > watchtest.Storm/10 {
		t.Errorf("%d statuses of the storm were written before the only one of another namespace", n)
	}
}

// shareSince returns the most Events that one namespace may have had since a moment before its
// first. At most every aggregateEvery, one more Event says how many objects wait.
func shareSince(begun time.Time) int {
	since := time.Since(begun)
	return namespaceEventBurst + int(since.Seconds()*namespaceEventRate) + 2 + int(since/aggregateEvery)
}

func TestAStormOfEventsDelaysNoOtherNamespace(t *testing.T) {
	objects, keys := stormOf("attacker", watchtest.Storm)
	f := newFakes(append(objects, watchtest.Ingress("web"))...)
	o := &watchtest.Order{Release: make(chan struct{})}
	close(o.Release)
	f.Core.PrependReactor("create", "events", func(action clienttesting.Action) (bool, runtime.Object, error) {
		o.Note(action.GetNamespace())
		return false, nil, nil
	})
	w, _ := f.writer(t, Options{EmitEvents: true})
	begun := time.Now()
	for _, key := range keys {
		w.Report(Report{Object: key, Verdicts: []unit.Verdict{unit.Warning(key, "BackendNotFound", "no Service a")}})
	}
	watchtest.Eventually(t, "the storm has used up its share", func() bool { return o.Count() > namespaceEventBurst })
	w.Report(warnings("web", "no Service b"))
	// Events are sent in the order of the turns. The other namespace has the turn after the one
	// that was in progress at its report.
	before := shareSince(begun) + 1
	watchtest.Eventually(t, "the other namespace's event is written", func() bool { _, ok := o.Before("shop"); return ok })
	if n, _ := o.Before("shop"); n > before {
		t.Errorf("%d events of the storm were written before the only one of another namespace, want %d at most", n, before)
	}
	n := o.Count() - 1
	if most := shareSince(begun); n > most {
		t.Errorf("%d events of one namespace, want %d at most", n, most)
	}
	watchtest.Eventually(t, "an Event sums up the storm", func() bool {
		return slices.ContainsFunc(f.events(t), func(event string) bool {
			return strings.Contains(event, "EventsDelayed") && strings.Contains(event, "more objects of this namespace have faults")
		})
	})
}

// One object with many faults is a storm too.
func TestManyFaultsOfOneObjectDelayNoOtherNamespace(t *testing.T) {
	objects, keys := stormOf("attacker", 1)
	f := newFakes(append(objects, watchtest.Ingress("web"))...)
	o := &watchtest.Order{Release: make(chan struct{})}
	close(o.Release)
	f.Core.PrependReactor("*", "events", func(action clienttesting.Action) (bool, runtime.Object, error) {
		o.Note(action.GetNamespace())
		return false, nil, nil
	})
	w := f.idleWriter(t, Options{EmitEvents: true})
	r := Report{Object: keys[0]}
	for i := range 500 {
		r.Verdicts = append(r.Verdicts, unit.Warning(keys[0], fmt.Sprintf("Reason%d", i), "x"))
	}
	w.Report(r, warnings("web", "no Service b"))
	watchtest.Running(t, w.Run)
	watchtest.Eventually(t, "the other namespace's event is written", func() bool { _, ok := o.Before("shop"); return ok })
	if n, _ := o.Before("shop"); n > 2 {
		t.Errorf("%d events of one object were written before the only one of another namespace", n)
	}
}

func TestABacklogForgetsIdleNamespaces(t *testing.T) {
	b, now := newEventBacklog(), time.Unix(1_000_000, 0)
	b.now = func() time.Time { return now }
	for i := range 3 * namespaceEventBurst {
		b.push(unit.Key{Namespace: "a", Name: fmt.Sprint(i)})
	}
	summaries := 0
	for {
		key, _, ok := b.first()
		if !ok {
			break
		}
		b.drop(key)
		if b.written(key.Namespace) > 0 {
			summaries++
		}
	}
	if _, wait, _ := b.first(); wait <= 0 || wait > time.Second/namespaceEventRate || summaries != 1 {
		t.Errorf("wait %v; %d summaries, want one", wait, summaries)
	}
	b.trim()
	if len(b.namespaces) != 1 {
		t.Error("a namespace with waiting objects is forgotten")
	}
	for now = now.Add(time.Hour); ; {
		key, _, ok := b.first()
		if !ok {
			if len(b.namespaces["a"].keys) == 0 {
				break
			}
			now = now.Add(time.Hour)
			continue
		}
		b.drop(key)
		b.written(key.Namespace)
	}
	now = now.Add(time.Hour)
	if b.trim(); len(b.namespaces) != 0 {
		t.Errorf("%d idle namespaces are remembered", len(b.namespaces))
	}
}
