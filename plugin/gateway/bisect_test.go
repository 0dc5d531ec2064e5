package gateway

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// failures are faults that Kong fails over, the message for each, and how often the gateway may
// send the fault to find its unit among ten.
var failures = map[string]struct {
	says string
	most int
}{
	"crash": {"Kong failed to process what was sent (status 500): An unexpected error occurred", 12},
	"hang":  {"Kong failed to process what was sent: there was no answer within", 5},
	"die":   {"Kong failed to process what was sent: the connection was lost", 5},
}

// One of ten changed units makes Kong fail, in a delta and in a full load. The others are applied
// in the same call. The unit is reported, and never sent again.
func TestAChangeOverWhichKongFails(t *testing.T) {
	for fault, tt := range failures {
		for _, companion := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s,companion=%t", fault, companion), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					fake, admin := newFakeKong(t)
					fake.companion = companion
					admin.Timeout = 500 * time.Millisecond
					g, units := New(admin, noRelay{}), shop()
					apply(t, g, units)
					want, ids := []string{"old", "web"}, []unit.ID{}
					for i := range 10 {
						name := fmt.Sprintf("r%d", i)
						fields := []any{"service", name}
						if i == 6 {
							fields = append(fields, fault, true)
						} else {
							want = append(want, name)
						}
						units.set(backend(name), entity(kong.Services, name))
						units.set(ingress(name), entity(kong.Routes, name, fields...))
						ids = append(ids, backend(name), ingress(name))
					}
					slices.Sort(want)
					outcome := applyChanged(t, g, units, ids...)
					if got := fake.names(kong.Routes); !slices.Equal(got, want) {
						t.Errorf("routes %v", got)
					}
					check := func(outcome Outcome) {
						t.Helper()
						if len(outcome.Refusals) != 1 || outcome.Refusals[0].Unit != ingress("r6") || outcome.Refusals[0].Reason != Crashed ||
							!strings.HasPrefix(outcome.Refusals[0].Messages[0], tt.says) {
							t.Errorf("refusals:\n%s", refusals(outcome))
						}
					}
					check(outcome)
					if outcome.Delta != companion || fake.failures > tt.most {
						t.Errorf("delta %t, %d requests that Kong failed over", outcome.Delta, fake.failures)
					}
					before, loads := fake.failures, fake.loads
					units.set(ingress("other"), entity(kong.Routes, "other", "service", "api"))
					check(applyChanged(t, g, units, ingress("other")))
					if fake.failures != before || companion && fake.loads != loads {
						t.Errorf("what Kong failed over was sent %d times more, everything %d times", fake.failures-before, fake.loads-loads)
					}
					units.set(ingress("r6"), entity(kong.Routes, "r6", "service", "r6"))
					if outcome := applyChanged(t, g, units, ingress("r6")); len(outcome.Refusals) > 0 || !slices.Contains(fake.names(kong.Routes), "r6") {
						t.Errorf("corrected: %s", refusals(outcome))
					}
				})
			})
		}
	}
}

// A unit whose change makes Kong fail stays as it was.
func TestLastGoodIsKeptOverAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for fault := range failures {
			fake, admin := newFakeKong(t)
			fake.companion = true
			admin.Timeout = 500 * time.Millisecond
			g, units := New(admin, noRelay{}), shop()
			apply(t, g, units)
			units.set(ingress("web"), entity(kong.Routes, "web2", "service", "api", fault, true))
			outcome := applyChanged(t, g, units, ingress("web"))
			if got := fake.names(kong.Routes); !slices.Equal(got, []string{"old", "web"}) || len(outcome.Refusals) != 1 || !outcome.Delta {
				t.Errorf("%s: routes %v, %s", fault, got, refusals(outcome))
			}
		}
	})
}

// A plugin that makes Kong fail is replaced.
func TestAPluginOverWhichKongFailsIsSubstituted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for fault := range failures {
			fake, admin := newFakeKong(t)
			fake.companion = true
			admin.Timeout = 500 * time.Millisecond
			g, units := New(admin, noRelay{}), shop()
			apply(t, g, units)
			units.set(ingress("guarded"), guarded("guarded", fault, true)...)
			units.set(ingress("other"), entity(kong.Routes, "other", "service", "api"))
			outcome := applyChanged(t, g, units, ingress("guarded"), ingress("other"))
			if got := fake.names(kong.Plugins); !slices.Equal(got, []string{"refusal of guarded"}) || !outcome.Delta {
				t.Errorf("%s: plugins %v, %s", fault, got, refusals(outcome))
			}
			if got := fake.names(kong.Routes); !slices.Equal(got, []string{"guarded", "old", "other", "web"}) {
				t.Errorf("%s: routes %v", fault, got)
			}
		}
	})
}

// A temporary internal error has no effect.
func TestATemporaryFailure(t *testing.T) {
	fake, admin := newFakeKong(t)
	fake.companion = true
	g, units := New(admin, noRelay{}), shop()
	apply(t, g, units)
	fake.passing = 1
	units.set(ingress("web"), entity(kong.Routes, "web2", "service", "api"))
	expect(t, fake, applyChanged(t, g, units, ingress("web")), []string{"old", "web2"})
}

// A Kong that is sometimes too slow to answer, and does not seem to hang, quarantines nothing until
// it happens repeatedly.
func TestASlowKong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, admin := newFakeKong(t)
		fake.companion = true
		admin.Timeout = 300 * time.Millisecond
		g, units := New(admin, noRelay{}), shop()
		apply(t, g, units)
		for round := range 4 {
			fake.stalls = 2
			name := fmt.Sprintf("web%d", round)
			units.set(ingress("web"), entity(kong.Routes, name, "service", "api"))
			for range 2 {
				if _, err := g.Apply(t.Context(), units, setOf([]unit.ID{ingress("web")})); !errors.Is(err, adminapi.ErrBusy) {
					t.Errorf("%v", err)
				}
			}
			expect(t, fake, applyChanged(t, g, units, ingress("web")), []string{"old", name})
		}
		fake.stalls = maxUnclear
		units.set(ingress("web"), entity(kong.Routes, "silly", "service", "api"))
		for range maxUnclear - 1 {
			_, _ = g.Apply(t.Context(), units, setOf([]unit.ID{ingress("web")}))
		}
		if outcome := applyChanged(t, g, units, ingress("web")); len(outcome.Refusals) != 1 || !outcome.Refusals[0].Kept {
			t.Errorf("%s", refusals(outcome))
		}
	})
}

// A worker that uses the processor for a change for too long is killed before the request times
// out.
func TestAWorkerThatHangsIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, full := range []bool{false, true} {
			fake, admin := newFakeKong(t)
			fake.companion = true
			admin.Timeout = time.Hour
			g, units := New(admin, noRelay{}), shop()
			g.lookAfter = 10 * time.Millisecond
			var used time.Duration
			g.processorTime = func(int) time.Duration { used += maxProcessorTime / 3; return used }
			apply(t, g, units)
			if full {
				g.ForceFullLoad()
			}
			units.set(ingress("web"), entity(kong.Routes, "web2", "service", "api", "hang", true))
			units.set(ingress("new"), entity(kong.Routes, "new", "service", "api"))
			outcome := applyChanged(t, g, units, ingress("web"), ingress("new"))
			expect(t, fake, outcome, []string{"new", "old", "web"},
				"Ingress shop/web (kept): Kong failed to process what was sent: a worker of Kong hangs over it")
		}
	})
}
