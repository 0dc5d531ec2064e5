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

// retries is a gateway with a clock, and a Kong that hangs until it is healthy.
type retries struct {
	*testing.T
	fake  *fakeKong
	units *graph
	now   time.Time
	*Gateway
}

func newRetries(t *testing.T) *retries {
	fake, admin := newFakeKong(t)
	fake.companion = true
	admin.Timeout = 200 * time.Millisecond
	c := &retries{T: t, fake: fake, units: shop(), now: time.Now(), Gateway: New(admin, noRelay{})}
	c.Gateway.now = func() time.Time { return c.now }
	apply(t, c.Gateway, c.units)
	return c
}

// after advances the clock and does once what is due, as the agent does. It returns the number of
// requests that Kong failed over.
func (c *retries) after(d time.Duration) (Outcome, int) {
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

// What Kong did not answer is tried again without a change, and is applied once Kong is healthy.
// That includes a plugin that was replaced, and one that Kong was only asked about.
func TestUnansweredRequestsAreRetried(t *testing.T) {
	for _, fault := range []string{"hang", "die"} {
		for _, whole := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,whole=%t", fault, whole), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newRetries(t)
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
					c.fake.healthy = true
					for range 4 {
						if tried, _ := c.after(11 * time.Second); tried.Sent {
							outcome = tried
						}
					}
					if got := c.fake.names(kong.Plugins); len(outcome.Refusals) != 0 || !slices.Equal(got, []string{"key-auth of guarded"}) {
						t.Errorf("plugins %v, refusals:\n%s", got, refusals(outcome))
					}
					if got := c.fake.names(kong.Routes); !slices.Contains(got, "plain") || len(c.journal.Quarantined) > 0 {
						t.Errorf("routes %v, quarantined %v", got, c.journal.Quarantined)
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

// A unit that hangs again is retried after twice as long. Of several, one is retried at a time,
// some seconds apart, so that changes of others come in between.
func TestRetriesAreSeparate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newRetries(t)
		var ids []unit.ID
		for i := range 3 {
			name := fmt.Sprintf("r%d", i)
			c.units.set(ingress(name), entity(kong.Routes, name, "service", "api", "hang", true))
			ids = append(ids, ingress(name))
		}
		applyChanged(t, c.Gateway, c.units, ids...)
		c.now = c.now.Add(10 * time.Second)
		tried := map[int]int{} // retries by second
		for second := range 200 {
			before := c.journal.failures(ids[0]) + c.journal.failures(ids[1]) + c.journal.failures(ids[2])
			c.after(time.Second)
			tried[second] = c.journal.failures(ids[0]) + c.journal.failures(ids[1]) + c.journal.failures(ids[2]) - before
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
		if all < 10 || all > 13 { // each after 10, 20, 40 and 80 seconds, plus the waits for others
			t.Errorf("%d retries", all)
		}
		for _, id := range ids {
			if strikes := c.journal.failures(id); strikes < 4 || strikes > 5 {
				t.Errorf("%v was tried %d times", id, strikes)
			}
		}
	})
}

// What Kong refuses is not tried again, no matter how much time passes.
func TestARefusalIsNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newRetries(t)
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
