package gateway

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// trials is a gateway with a clock, and a Kong that hangs over things as long as the machine
// is busy.
type trials struct {
	*testing.T
	fake  *fakeKong
	units *graph
	now   time.Time
	*Gateway
}

func newTrials(t *testing.T) *trials {
	fake, admin := newFakeKong(t)
	fake.companion = true
	admin.timeout = 200 * time.Millisecond
	c := &trials{T: t, fake: fake, units: shop(), now: time.Now(), Gateway: New(admin, noRelay{})}
	c.Gateway.now = func() time.Time { return c.now }
	apply(t, c.Gateway, c.units)
	return c
}

// after lets time pass and does what is due, as the agent does once. It returns how many
// requests Kong failed over.
func (c *trials) after(d time.Duration) (Outcome, int) {
	c.Helper()
	c.now = c.now.Add(d)
	state, err := c.State(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	if !state.Due {
		return Outcome{}, 0
	}
	before := c.fake.failures
	outcome, err := c.Apply(c.Context(), c.units, map[unit.ID]struct{}{})
	if err != nil {
		c.Fatal(err)
	}
	return outcome, c.fake.failures - before
}

// What Kong gave no answer to is tried again by itself, and comes when Kong has time again:
// also a plugin that others stand for, and one that Kong was only asked about.
func TestWhatGotNoAnswerIsTriedAgain(t *testing.T) {
	for _, fault := range []string{"hang", "die"} {
		for _, whole := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,whole=%t", fault, whole), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newTrials(t)
					c.units.set(ingress("guarded"), guarded("guarded", fault, true)...)
					c.units.set(ingress("plain"), entity(kong.Routes, "plain", "service", "api", fault, true))
					if whole {
						c.ForceFullLoad()
					}
					outcome := applyChanged(t, c.Gateway, c.units, ingress("guarded"), ingress("plain"))
					if got := c.fake.names(kong.Plugins); len(outcome.Refusals) != 3 || !slices.Equal(got, []string{"refusal of guarded"}) {
						t.Fatalf("plugins %v, refusals:\n%s", got, refusals(outcome))
					}
					if _, tried := c.after(8 * time.Second); tried > 0 {
						t.Errorf("tried %d times within 8 seconds", tried)
					}
					c.fake.patience = true
					for range 4 {
						if tried, _ := c.after(11 * time.Second); tried.Sent {
							outcome = tried
						}
					}
					if got := c.fake.names(kong.Plugins); len(outcome.Refusals) != 0 || !slices.Equal(got, []string{"key-auth of guarded"}) {
						t.Errorf("plugins %v, refusals:\n%s", got, refusals(outcome))
					}
					if got := c.fake.names(kong.Routes); !slices.Contains(got, "plain") || len(c.ledger.Guilty) > 0 {
						t.Errorf("routes %v, guilty %v", got, c.ledger.Guilty)
					}
					for range 3 {
						if _, n := c.after(time.Hour); n > 0 {
							t.Error("it is tried again when it is in place")
						}
					}
				})
			})
		}
	}
}

// What hangs again is tried after twice as long. Of several that do, one is tried at a time,
// some seconds before the next: changes of others come in between.
func TestTrialsKeepApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTrials(t)
		var ids []unit.ID
		for i := range 3 {
			name := fmt.Sprintf("r%d", i)
			c.units.set(ingress(name), entity(kong.Routes, name, "service", "api", "hang", true))
			ids = append(ids, ingress(name))
		}
		applyChanged(t, c.Gateway, c.units, ids...)
		c.now = c.now.Add(10 * time.Second)
		tried := map[int]int{} // how many when
		for second := range 200 {
			before := c.ledger.strikes(ids[0]) + c.ledger.strikes(ids[1]) + c.ledger.strikes(ids[2])
			c.after(time.Second)
			tried[second] = c.ledger.strikes(ids[0]) + c.ledger.strikes(ids[1]) + c.ledger.strikes(ids[2]) - before
		}
		last, all := -10, 0
		for second := range 200 {
			if tried[second] == 0 {
				continue
			}
			if all += tried[second]; tried[second] > 1 || second-last < 10 {
				t.Errorf("%d tried in second %d after one in second %d", tried[second], second, last)
			}
			last = second
		}
		if all < 10 || all > 13 { // each after 10, 20, 40 and 80 seconds, and what they wait for others
			t.Errorf("%d trials", all)
		}
		for _, id := range ids {
			if strikes := c.ledger.strikes(id); strikes < 4 || strikes > 5 {
				t.Errorf("%v was tried %d times", id, strikes)
			}
		}
	})
}

// What Kong says is wrong is not tried again, whatever time passes.
func TestAVerdictStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTrials(t)
		c.units.set(ingress("bad"), entity(kong.Routes, "bad", "service", "api", "bad", "no"))
		c.units.set(ingress("crash"), entity(kong.Routes, "crash", "service", "api", "crash", true))
		if outcome := applyChanged(t, c.Gateway, c.units, ingress("bad"), ingress("crash")); len(outcome.Refusals) != 2 {
			t.Fatalf("refusals:\n%s", refusals(outcome))
		}
		for range 20 {
			if outcome, tried := c.after(time.Hour); tried > 0 || outcome.Sent {
				t.Error("it is tried again")
			}
		}
	})
}
