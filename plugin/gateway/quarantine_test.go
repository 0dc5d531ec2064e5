package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// refusals returns the outcome's refusals, one a line.
func refusals(outcome Outcome) string {
	var lines []string
	for _, r := range outcome.Refusals {
		kept := ""
		if r.Kept {
			kept = " (kept)"
		}
		lines = append(lines, fmt.Sprintf("%v%s: %s", r.Object, kept, strings.Join(r.Messages, "; ")))
	}
	return strings.Join(lines, "\n")
}

func expect(t *testing.T, fake *fakeKong, outcome Outcome, routes []string, want ...string) {
	t.Helper()
	if got := fake.names(kong.Routes); !slices.Equal(got, routes) {
		t.Errorf("routes %v, want %v", got, routes)
	}
	if got := refusals(outcome); got != strings.Join(want, "\n") {
		t.Errorf("refusals:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

func TestARefusedUnitIsLeftOut(t *testing.T) {
	fake, admin := newFakeKong(t)
	g, units := New(admin, noRelay{}), shop()
	units.set(ingress("bad"), entity(kong.Routes, "bad", "service", "api", "bad", "no such protocol"),
		entity(kong.Routes, "bad2", "service", "api"))

	outcome := apply(t, g, units)
	const said = `Ingress shop/bad: route "bad": bad: no such protocol`
	expect(t, fake, outcome, []string{"old", "web"}, said)
	if outcome.Rounds != 2 || !outcome.Sent {
		t.Errorf("%+v", outcome)
	}
	// While it is held, each change of others takes one load.
	loads := fake.loads
	units.set(ingress("new"), entity(kong.Routes, "new", "service", "api"))
	expect(t, fake, apply(t, g, units), []string{"new", "old", "web"}, said)
	if fake.loads != loads+1 {
		t.Errorf("%d loads for one change", fake.loads-loads)
	}
	// Without a change, nothing is sent.
	if outcome := apply(t, g, units); outcome.Sent || refusals(outcome) != said {
		t.Errorf("%+v", outcome)
	}
	// It is corrected.
	units.set(ingress("bad"), entity(kong.Routes, "good", "service", "api"))
	expect(t, fake, apply(t, g, units), []string{"good", "new", "old", "web"})
	// It is deleted while it is held.
	units.set(ingress("bad"), entity(kong.Routes, "bad", "service", "api", "bad", "x"))
	apply(t, g, units)
	delete(units.views, ingress("bad"))
	expect(t, fake, apply(t, g, units), []string{"new", "old", "web"})
	if len(g.holds) != 0 {
		t.Errorf("holds %v", g.holds)
	}
}

func TestLastGoodIsKept(t *testing.T) {
	fake, admin := newFakeKong(t)
	g, units := New(admin, noRelay{}), shop()
	apply(t, g, units)

	units.set(ingress("web"), entity(kong.Routes, "web-v2", "service", "api", "bad", "no"))
	outcome := apply(t, g, units)
	expect(t, fake, outcome, []string{"old", "web"}, `Ingress shop/web (kept): route "web-v2": bad: no`)
	if outcome.Sent {
		t.Error("what Kong had was sent")
	}
	// Another bad version keeps the good one.
	units.set(ingress("web"), entity(kong.Routes, "web-v3", "service", "api", "bad", "nope"))
	units.set(ingress("new"), entity(kong.Routes, "new", "service", "api"))
	expect(t, fake, apply(t, g, units), []string{"new", "old", "web"}, `Ingress shop/web (kept): route "web-v3": bad: nope`)
	units.set(ingress("web"), entity(kong.Routes, "web-v4", "service", "api"))
	expect(t, fake, apply(t, g, units), []string{"new", "old", "web-v4"})
}

func TestLastGoodKeepsWhatItHangsOn(t *testing.T) {
	fake, admin := newFakeKong(t)
	g, units := New(admin, noRelay{}), shop()
	units.set(backend("alone"), entity(kong.Services, "alone"), entity(kong.Upstreams, "alone.svc"))
	units.set(ingress("web"), entity(kong.Routes, "web", "service", "alone"))
	apply(t, g, units)

	// The refused version uses another backend, and nothing else uses the old one.
	delete(units.views, backend("alone"))
	units.set(ingress("web"), entity(kong.Routes, "web", "service", "api", "bad", "no"))
	outcome := apply(t, g, units)
	expect(t, fake, outcome, []string{"old", "web"}, `Ingress shop/web (kept): route "web": bad: no`)
	if !slices.Equal(outcome.Retained, []unit.ID{backend("alone")}) {
		t.Errorf("retained %v", outcome.Retained)
	}
	if got := fake.names(kong.Upstreams); !slices.Equal(got, []string{"alone.svc", "api.svc"}) {
		t.Errorf("upstreams %v", got)
	}
	// The corrected version gives it up.
	units.set(ingress("web"), entity(kong.Routes, "web", "service", "api"))
	outcome = apply(t, g, units)
	expect(t, fake, outcome, []string{"old", "web"})
	if got := fake.names(kong.Services); !slices.Equal(got, []string{"api"}) || len(outcome.Retained) != 0 {
		t.Errorf("services %v, retained %v", got, outcome.Retained)
	}
}

func TestWhatHangsOnItIsLeftOut(t *testing.T) {
	fake, admin := newFakeKong(t)
	g, units := New(admin, noRelay{}), shop()
	units.set(backend("broken"), entity(kong.Services, "broken", "bad", "no"))
	units.set(ingress("both"), entity(kong.Routes, "a", "service", "api"), entity(kong.Routes, "b", "service", "broken"),
		entity(kong.Plugins, "limit", "route", "b"))

	outcome := apply(t, g, units)
	expect(t, fake, outcome, []string{"a", "old", "web"},
		`Service shop/broken: service "broken": bad: no`,
		`Ingress shop/both: route "b" is left out: it depends on Service shop/broken, which Kong refused; `+
			`plugin "limit" is left out: it depends on Service shop/broken, which Kong refused`)
	if outcome.Rounds != 2 || outcome.Entities[kong.Plugins] != 0 {
		t.Errorf("%+v", outcome)
	}
	// The backend is corrected, and the unchanged Ingress is complete.
	units.set(backend("broken"), entity(kong.Services, "broken"))
	outcome = apply(t, g, units)
	expect(t, fake, outcome, []string{"a", "b", "old", "web"})
	if outcome.Entities[kong.Plugins] != 1 {
		t.Errorf("%+v", outcome)
	}
}

func TestMissingParent(t *testing.T) {
	fake, admin := newFakeKong(t)
	units := shop()
	units.set(ingress("lost"), entity(kong.Routes, "lost", "service", "nowhere"))
	outcome := apply(t, New(admin, noRelay{}), units)
	expect(t, fake, outcome, []string{"old", "web"},
		`Ingress shop/lost: route "lost" is left out: service "`+uid(kong.Services, "nowhere")+`" does not exist`)
	if outcome.Rounds != 1 {
		t.Errorf("%+v", outcome)
	}
}

// Kong refuses a broken reference that the entity does not declare as a parent, in a form that its
// flattened errors lack.
func TestUndeclaredReference(t *testing.T) {
	fake, admin := newFakeKong(t)
	units := shop()
	lost := entity(kong.Routes, "lost", "service", "nowhere")
	lost.Parents = nil
	units.set(ingress("lost"), lost)
	expect(t, fake, apply(t, New(admin, noRelay{}), units), []string{"old", "web"},
		`Ingress shop/lost: route "lost": invalid reference 'service: `+uid(kong.Services, "nowhere")+`' (no such entry in 'services')`)
}

func TestTwoRounds(t *testing.T) {
	fake, admin := newFakeKong(t)
	g, units := New(admin, noRelay{}), shop()
	// Kong reports broken references only if everything else is valid.
	lost := entity(kong.Routes, "lost", "service", "nowhere")
	lost.Parents = nil
	units.set(ingress("lost"), lost)
	units.set(ingress("bad1"), entity(kong.Routes, "bad1", "service", "api", "bad", "no"))
	units.set(ingress("bad2"), entity(kong.Routes, "bad2", "service", "api", "bad", "no"))
	outcome := apply(t, g, units)
	if outcome.Rounds != 3 || len(outcome.Refusals) != 3 {
		t.Errorf("%+v", outcome)
	}
	if got := fake.names(kong.Routes); !slices.Equal(got, []string{"old", "web"}) {
		t.Errorf("routes %v", got)
	}
}

// Ids in the order of the configuration.
const (
	lower = "00000000-0000-4000-8000-000000000000"
	low   = "00000000-0000-4000-8000-000000000001"
	high  = "ffffffff-ffff-4fff-8fff-fffffffffff1"
)

func TestTheNewerUnitYields(t *testing.T) {
	for name, ids := range map[string][2]string{"later": {low, high}, "earlier": {high, low}} {
		t.Run(name, func(t *testing.T) {
			fake, admin := newFakeKong(t)
			g, units := New(admin, noRelay{}), shop()
			units.set(ingress("first"), entity(kong.Routes, "same", "service", "api", "id", ids[0]))
			apply(t, g, units)
			units.set(ingress("second"), entity(kong.Routes, "same", "service", "api", "id", ids[1]))
			outcome := apply(t, g, units)
			if len(outcome.Refusals) != 1 || outcome.Refusals[0].Object.Name != "second" || outcome.Refusals[0].Kept {
				t.Errorf("refusals:\n%s", refusals(outcome))
			}
			if got := fake.names(kong.Routes); !slices.Equal(got, []string{"old", "same", "web"}) {
				t.Errorf("routes %v", got)
			}
			// The first one is deleted: the second one is applied without a change.
			delete(units.views, ingress("first"))
			expect(t, fake, apply(t, g, units), []string{"old", "same", "web"})
		})
	}
}

// Kong quotes what it refuses, and a tenant wrote it.
func TestARefusalIsOneLine(t *testing.T) {
	_, admin := newFakeKong(t)
	units := shop()
	units.set(ingress("bad"), entity(kong.Routes, "bad", "service", "api", "bad", "no\nlevel=ERROR msg=forged\x1b[2J"))
	if got, want := refusals(apply(t, New(admin, noRelay{}), units)), `Ingress shop/bad: route "bad": bad: no\nlevel=ERROR msg=forged\x1b[2J`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// If Kong's message about several faults names no entity, each object is told only of its own
// fault.
func TestARefusalQuotesNoOtherObject(t *testing.T) {
	_, admin := newFakeKong(t)
	units := shop()
	for _, name := range []string{"one", "two", "three"} {
		id := ingress(name)
		id.Namespace = name
		units.set(id, entity(kong.Routes, name, "service", "api", "silent", "secret-of-"+name))
	}
	outcome := apply(t, New(admin, noRelay{}), units)
	if len(outcome.Refusals) != 3 {
		t.Fatalf("refusals:\n%s", refusals(outcome))
	}
	for _, refusal := range outcome.Refusals {
		said := strings.Join(refusal.Messages, "; ")
		if !strings.Contains(said, "secret-of-"+refusal.Object.Name) || strings.Count(said, "secret-of-") != 1 {
			t.Errorf("%v is told: %s", refusal.Object, said)
		}
	}
}

// An object that depends on a refused object of another namespace is not told which one.
func TestAnOrphanIsNotToldWhoseItsParentIs(t *testing.T) {
	_, admin := newFakeKong(t)
	units := shop()
	units.set(backend("broken"), entity(kong.Services, "broken", "bad", "no"))
	own, other := ingress("own"), ingress("other")
	other.Namespace = "elsewhere"
	units.set(own, entity(kong.Routes, "own", "service", "broken"))
	units.set(other, entity(kong.Routes, "other", "service", "broken"))
	got := refusals(apply(t, New(admin, noRelay{}), units))
	for _, want := range []string{
		`Ingress shop/own: route "own" is left out: it depends on Service shop/broken, which Kong refused`,
		`Ingress elsewhere/other: route "other" is left out: it depends on an object outside of namespace elsewhere, which Kong refused`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("refusals:\n%s\nwant %s", got, want)
		}
	}
}

func TestSilentRefusalIsTraced(t *testing.T) {
	for _, fault := range []string{"silent", "crash"} {
		t.Run(fault, func(t *testing.T) {
			fake, admin := newFakeKong(t)
			g, units := New(admin, noRelay{}), shop()
			for i := range 40 {
				name := fmt.Sprintf("r%02d", i)
				units.set(backend(name), entity(kong.Services, name))
				entities := []*kong.Entity{entity(kong.Routes, name, "service", name)}
				if i == 7 || i == 23 {
					entities = append(entities, entity(kong.Routes, name+"x", "service", name, fault, true))
				}
				units.set(ingress(name), entities...)
			}
			outcome, err := g.Apply(t.Context(), units, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, refusal := range outcome.Refusals {
				got = append(got, refusal.Object.Name)
			}
			if !slices.Equal(got, []string{"r07", "r23"}) || len(fake.names(kong.Routes)) != 40 {
				t.Errorf("%d routes, refused %v", len(fake.names(kong.Routes)), got)
			}
			if fake.loads > 30 {
				t.Errorf("%d questions", fake.loads)
			}
			// A bad change among others then takes a few more questions, and nothing is lost.
			units.set(ingress("r30"), entity(kong.Routes, "r30", "service", "r30", fault, true))
			units.set(ingress("r31"), entity(kong.Routes, "r31b", "service", "r31"))
			outcome, err = g.Apply(t.Context(), units, nil)
			if err != nil || len(outcome.Refusals) != 3 || !outcome.Refusals[2].Kept {
				t.Errorf("%v\n%s", err, refusals(outcome))
			}
			if names := fake.names(kong.Routes); !slices.Contains(names, "r31b") || !slices.Contains(names, "r30") {
				t.Errorf("routes %v", names)
			}
		})
	}
}

func TestFoundByTag(t *testing.T) {
	p := newPlan(shop(), nil, nil, nil)
	row := adminapi.RefusedEntity{Type: kong.Routes, Tags: []string{"k8s-name:web", "k8s-namespace:shop", "k8s-kind:Ingress"}}
	if got := p.index().find(row); !slices.Equal(got, []unit.ID{ingress("web")}) {
		t.Errorf("by tags: %v", got)
	}
	if got := p.index().find(adminapi.RefusedEntity{Type: kong.Routes, Name: "old"}); !slices.Equal(got, []unit.ID{ingress("old")}) {
		t.Errorf("by name: %v", got)
	}
	if got := p.index().find(adminapi.RefusedEntity{Type: kong.Routes}); got != nil {
		t.Errorf("by nothing: %v", got)
	}
}
