package gateway

import (
	"slices"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// guarded returns a route with a plugin that can be replaced by a refusal.
func guarded(route string, fields ...any) []*kong.Entity {
	closed := entity(kong.Routes, route)
	plugin := entity(kong.Plugins, "key-auth of "+route, append([]any{"route", route,
		"tags", []string{"k8s-kind:KongPlugin", "k8s-namespace:shop", "k8s-name:auth"}}, fields...)...)
	plugin.Instead = []*kong.Entity{closed, entity(kong.Plugins, "refusal of "+route, "route", route)}
	return []*kong.Entity{entity(kong.Routes, route, "service", "api"), plugin}
}

// A plugin that Kong refuses is replaced, so that its route never exists without protection. That
// is so for full loads and deltas, and is undone when the plugin is valid.
func TestRefusedPluginIsSubstituted(t *testing.T) {
	for _, companion := range []bool{false, true} {
		fake, admin := newFakeKong(t)
		fake.companion = companion
		g, units := New(admin, noRelay{}), shop()
		if _, err := g.Apply(t.Context(), units, nil); err != nil {
			t.Fatal(err)
		}
		before := fake.names(kong.Routes)
		changed := map[unit.ID]struct{}{ingress("guarded"): {}}

		apply := func(fields ...any) Outcome {
			t.Helper()
			units.set(ingress("guarded"), guarded("guarded", fields...)...)
			outcome, err := g.Apply(t.Context(), units, changed)
			if err != nil {
				t.Fatal(err)
			}
			return outcome
		}
		routes := append(slices.Clone(before), "guarded")
		slices.Sort(routes)
		outcome := apply("bad", "unknown field")
		expect(t, fake, outcome, routes,
			`Ingress shop/guarded: plugin "key-auth of guarded": bad: unknown field`,
			`KongPlugin shop/auth: plugin "key-auth of guarded": bad: unknown field`)
		if got := fake.names(kong.Plugins); !slices.Equal(got, []string{"refusal of guarded"}) {
			t.Errorf("plugins %v", got)
		}
		outcome = apply()
		expect(t, fake, outcome, routes)
		if got := fake.names(kong.Plugins); !slices.Equal(got, []string{"key-auth of guarded"}) {
			t.Errorf("plugins %v", got)
		}
		if companion {
			continue
		}
		// Kong refuses the plugin without naming it.
		outcome = apply("silent", "yes")
		if got := fake.names(kong.Plugins); !slices.Equal(got, []string{"refusal of guarded"}) || len(outcome.Refusals) != 2 {
			t.Errorf("plugins %v, refusals %v", got, refusals(outcome))
		}
	}
}

// A unit does not fall back to a version that lacks the plugin which the present version has.
func TestNoFallbackWithoutProtection(t *testing.T) {
	fake, admin := newFakeKong(t)
	g, units := New(admin, noRelay{}), shop()
	units.set(ingress("web"), entity(kong.Routes, "web", "service", "api"))
	if _, err := g.Apply(t.Context(), units, nil); err != nil {
		t.Fatal(err)
	}
	units.set(ingress("web"), append(guarded("web"), entity(kong.Routes, "web2", "service", "api", "bad", "no"))...)
	if _, err := g.Apply(t.Context(), units, nil); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(fake.names(kong.Routes), "web") {
		t.Error("the route is there without its plugin")
	}
}

// Of a consumer, only the credential that Kong refuses is left out.
func TestOnlyTheCredentialIsLeftOut(t *testing.T) {
	fake, admin := newFakeKong(t)
	g, units := New(admin, noRelay{}), shop()
	bad := entity(kong.KeyAuths, "bad", "bad", "too short")
	bad.Instead = []*kong.Entity{}
	units.set(ingress("consumer"), entity(kong.Consumers, "ann"), bad, entity(kong.KeyAuths, "good"))
	outcome, err := g.Apply(t.Context(), units, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := fake.names(kong.KeyAuths); !slices.Equal(got, []string{"good"}) || !slices.Equal(fake.names(kong.Consumers), []string{"ann"}) {
		t.Errorf("credentials %v, refusals %s", got, refusals(outcome))
	}
}

// Values from a Secret are removed from Kong's messages.
func TestRefusalsDoNotTellSecrets(t *testing.T) {
	_, admin := newFakeKong(t)
	g, units := New(admin, noRelay{}), realShop()
	plugin := entity(kong.Plugins, "jwt", "route", "web", "bad", "config.key: invalid value: hunter2")
	plugin.Secret, plugin.Instead = true, []*kong.Entity{}
	units.set(ingress("web"), route("web", "api"), plugin)
	outcome := apply(t, g, units)
	if got := refusals(outcome); strings.Contains(got, "hunter2") || !strings.Contains(got, "config.key: invalid value: ***") {
		t.Errorf("refusals:\n%s", got)
	}
}

// If a replacement is refused, it is replaced, too. Neither is tried again until something changes.
func TestWhatStandsInIsSubstituted(t *testing.T) {
	fake, admin := newFakeKong(t)
	g, units := New(admin, noRelay{}), shop()
	plugin, first := entity(kong.Plugins, "auth", "bad", "unknown field"), entity(kong.Plugins, "closed", "bad", "not enabled")
	first.Instead = []*kong.Entity{entity(kong.Plugins, "refusal")}
	plugin.Instead = []*kong.Entity{first}
	units.set(ingress("everywhere"), plugin)
	for _, changed := range []map[unit.ID]struct{}{nil, {}, {ingress("everywhere"): {}}} {
		if _, err := g.Apply(t.Context(), units, changed); err != nil {
			t.Fatal(err)
		}
		if got := fake.names(kong.Plugins); !slices.Equal(got, []string{"refusal"}) {
			t.Errorf("plugins %v", got)
		}
	}
	if len(g.refused) != 2 {
		t.Errorf("%d entities are substituted, want 2", len(g.refused))
	}
	units.set(ingress("everywhere"), entity(kong.Plugins, "auth"))
	if _, err := g.Apply(t.Context(), units, map[unit.ID]struct{}{ingress("everywhere"): {}}); err != nil {
		t.Fatal(err)
	}
	if got := fake.names(kong.Plugins); !slices.Equal(got, []string{"auth"}) || len(g.refused) != 0 {
		t.Errorf("plugins %v, and %d are substituted", got, len(g.refused))
	}
}
