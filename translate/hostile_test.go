package translate_test

import (
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/anything"
	"github.com/kube-sync/kube-sync/e2e/hostile"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// The maximum of memory that the translation of one attack allocates in total, and that it keeps, in
// bytes. Without limits, most attacks exhaust the memory.
const (
	mostAllocated = 4 << 30
	mostKept      = 256 << 20
)

// TestHostile tests that objects which would stop a gateway without limits cost a bounded amount of
// work and memory, stay within the limits, have a verdict, and do not affect other objects.
func TestHostile(t *testing.T) {
	for _, attack := range hostile.Attacks() {
		t.Run(attack.Name, func(t *testing.T) {
			g := translate.New(translate.Options{IngressClass: "kong"})
			g.Update(anything.Bystanders()...)
			before, used := stateOf(g), heap()
			allocated := allocation(func() { g.Update(attack.Objects...) })
			if allocated > mostAllocated {
				t.Errorf("the translation allocates %d MB", allocated>>20)
			}
			if kept := int64(heap()) - int64(used); kept > mostKept {
				t.Errorf("the translation keeps %d MB", kept>>20)
			}
			wantUnchanged(t, g, before)
			wantWithin(t, g)
			if told := toldOf(g, attack.Objects); !slices.ContainsFunc(told, func(m string) bool { return strings.Contains(m, attack.Told) }) {
				t.Errorf("no verdict says %q:\n%s", attack.Told, strings.Join(told[:min(len(told), 10)], "\n"))
			}

			// Deletion costs no more, and nothing is left.
			allocated = allocation(func() {
				for _, c := range attack.Objects {
					g.Update(unit.Change{Key: c.Key})
				}
			})
			if allocated > mostAllocated {
				t.Errorf("the deletion allocates %d MB", allocated>>20)
			}
			wantUnchanged(t, g, before)
		})
	}
}

// TestAtLimits tests that objects just within the limits have no verdicts about them.
func TestAtLimits(t *testing.T) {
	for _, large := range hostile.AtLimits() {
		g := translate.New(translate.Options{IngressClass: "kong"})
		g.Update(large.Objects...)
		for _, told := range toldOf(g, large.Objects) {
			if strings.Contains(told, "LIMIT_") && !strings.Contains(told, limit.NamespaceMatch) {
				t.Errorf("%s: %s", large.Name, told)
			}
		}
		wantWithin(t, g)
	}
}

func allocation(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// wantWithin fails if a unit or the namespace exceeds the limits.
func wantWithin(t *testing.T, g *unit.Graph) {
	t.Helper()
	limits := limit.Limits{}.InEffect()
	var sum limit.Cost
	for view := range g.Units() {
		cost := kong.Cost(view.Entities)
		if exceeded := cost.Within(limits.Object, view.ID.String(), limit.ObjectSettings); exceeded != nil {
			t.Error(exceeded)
		}
		if view.ID.Namespace == hostile.Namespace {
			sum = sum.Add(cost)
		}
	}
	if exceeded := sum.Within(limits.Namespace, "the namespace", limit.NamespaceSettings); exceeded != nil {
		t.Error(exceeded)
	}
}

// toldOf returns all verdicts and statuses of objects.
func toldOf(g *unit.Graph, objects []unit.Change) (told []string) {
	for _, c := range objects {
		for _, v := range g.Verdicts(c.Key) {
			if len(v.Message) > 5000 {
				told = append(told, "a verdict is too long for an Event")
			}
			told = append(told, c.Key.String()+": "+v.Reason+": "+v.Message)
		}
		if status := g.Status(c.Key); status != nil {
			whole, _ := status.Merge(c.Object, unit.Moment{})
			told = append(told, asJSON(whole))
		}
	}
	return told
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
