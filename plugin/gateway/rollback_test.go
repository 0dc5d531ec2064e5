package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// A change that Kong rolls back needs no full load, and other changes do not wait for one. Its
// parts are tried again.
func TestARolledBackChangeCostsNoLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, noticed := range []string{"by the agent", "by the next change"} {
			c := newRetries(t)
			before, config, loads := c.fake.hash, c.fake.config, c.fake.loads
			ids := []unit.ID{ingress("old"), ingress("web")}
			delete(c.units.views, ingress("old"))
			c.units.set(ingress("web"), entity(kong.Routes, "web2", "service", "api"))
			for i := range 2 * maxOneByOne {
				name := fmt.Sprintf("r%03d", i)
				c.units.set(ingress(name), entity(kong.Routes, name, "service", "api"))
				ids = append(ids, ingress(name))
			}
			c.fake.late = true
			applyChanged(t, c.Gateway, c.units, ids...)
			c.fake.hash, c.fake.config, c.fake.late = before, config, false

			other := c.units.site("other", "site")
			changed := setOf(other)
			if noticed == "by the agent" {
				changed = nil
			}
			outcome, err := c.Apply(t.Context(), c.units, changed)
			if err != nil || !outcome.Delta || !slices.Contains(c.fake.names(kong.Routes), "other.site") {
				t.Fatalf("%s: %v, %+v", noticed, err, outcome)
			}
			for range 20 {
				if tried, _ := c.after(time.Hour); tried.Hash != "" {
					outcome = tried
				}
			}
			if got := c.fake.names(kong.Routes); len(got) != 2+2*maxOneByOne || slices.Contains(got, "old") || !slices.Contains(got, "web2") || len(outcome.Refusals) > 0 {
				t.Errorf("%s: routes %v, refusals:\n%s", noticed, got, refusals(outcome))
			}
			if c.fake.loads != loads || c.fake.hash != c.hash || c.tally.sum != sumOf(newPlan(c.units, nil, nil, nil).entities()) {
				t.Errorf("%s: %d loads of everything", noticed, c.fake.loads-loads)
			}
		}
	})
}

// A refusal that names nothing quarantines its unit without a full load, and Kong's quotes of other
// objects are not passed on.
func TestARefusalThatNamesNothingCostsNoLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newRetries(t)
		loads := c.fake.loads
		ids := c.units.site("other", "site")
		c.units.set(unit.ID{Role: "ingress", Namespace: "elsewhere", Name: "theirs"}, entity(kong.Routes, "theirs", "service", "api", "silent", "their secret"))
		c.units.set(ingress("ours"), entity(kong.Routes, "ours", "service", "api", "silent", "our word"))
		outcome := applyChanged(t, c.Gateway, c.units, append(ids, ingress("ours"), unit.ID{Role: "ingress", Namespace: "elsewhere", Name: "theirs"})...)
		if got := c.fake.names(kong.Routes); !slices.Equal(got, []string{"old", "other.site", "web"}) || c.fake.loads != loads {
			t.Errorf("routes %v after %d loads", got, c.fake.loads-loads)
		}
		for _, r := range outcome.Refusals {
			said := strings.Join(r.Messages, "; ")
			if ours := r.Unit == ingress("ours"); ours == strings.Contains(said, "their secret") || ours != strings.Contains(said, "our word") {
				t.Errorf("%v is told: %s", r.Unit, said)
			}
		}
		if len(outcome.Refusals) != 2 {
			t.Errorf("refusals:\n%s", refusals(outcome))
		}
	})
}

// An object with more kinds of faults than there are rounds needs no full load. Others are applied,
// and its plugins are replaced.
func TestVeryManyKindsOfFaultsCostNoLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newRetries(t)
		loads := c.fake.loads
		changed := setOf(c.units.site("other", "site"))
		c.fake.answer = func(d adminapi.Delta) string { // one fault at a time
			for _, raw := range d.Upserts[kong.Plugins] {
				if strings.Contains(string(raw), `"wrong":true`) {
					return string(raw)
				}
			}
			return ""
		}
		entities := []*kong.Entity{entity(kong.Routes, "many", "service", "api")}
		for i := range maxRounds + 5 {
			plugin := entity(kong.Plugins, fmt.Sprintf("p%d", i), "route", "many", "wrong", true)
			plugin.Instead = []*kong.Entity{entity(kong.Plugins, fmt.Sprintf("refusal %d", i), "route", "many")}
			entities = append(entities, plugin)
		}
		c.units.set(ingress("many"), entities...)
		maps.Copy(changed, setOf([]unit.ID{ingress("many")}))
		outcome := applyChanged(t, c.Gateway, c.units, slices.Collect(maps.Keys(changed))...)
		if got := c.fake.names(kong.Routes); !slices.Equal(got, []string{"many", "old", "other.site", "web"}) || c.fake.loads != loads || len(outcome.Refusals) != 1 {
			t.Errorf("routes %v after %d loads, refusals:\n%s", got, c.fake.loads-loads, refusals(outcome))
		}
		if got := c.fake.names(kong.Plugins); len(got) != maxRounds+5+1 || strings.HasPrefix(got[1], "p") {
			t.Errorf("plugins %v", got)
		}
	})
}
