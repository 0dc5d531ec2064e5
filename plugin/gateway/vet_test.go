package gateway

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
)

// limited adds a route with a plugin of its own.
func limited(units *graph, name string, fields ...any) {
	units.set(ingress(name), route(name, "api"),
		entity(kong.Plugins, name, append([]any{"route", name, "name", "rate-limiting", "tags", []string{"k8s-name:" + name}}, fields...)...))
}

func TestBadPluginCostsNoLoad(t *testing.T) {
	fake, admin := newFakeKong(t)
	units := shop()
	limited(units, "good", "config", "same")
	limited(units, "alike", "config", "same")
	limited(units, "wrong", "bad", "config.minute")
	limited(units, "wrong-too", "bad", "config.minute")
	g := New(admin, noRelay{})
	outcome := apply(t, g, units)
	if fake.loads != 1 || fake.vets != 1 {
		t.Errorf("%d loads and %d questions, want one of each", fake.loads, fake.vets)
	}
	refused := map[string][]string{}
	for _, r := range outcome.Refusals {
		refused[r.Unit.Name] = r.Messages
	}
	if len(refused) != 2 || !slices.Equal(refused["wrong"], []string{`plugin "rate-limiting": bad: config.minute`}) || refused["wrong-too"] == nil {
		t.Errorf("refused %v", refused)
	}
	if outcome.Entities[kong.Plugins] != 2 {
		t.Errorf("%d plugins", outcome.Entities[kong.Plugins])
	}

	// Kong is not asked again about what it has acknowledged or refused.
	limited(units, "another", "config", "other")
	units.set(ingress("plain"), route("plain", "api"))
	if apply(t, g, units); fake.vets != 2 || fake.loads != 2 {
		t.Errorf("%d loads and %d questions after a good plugin", fake.loads, fake.vets)
	}
	units.set(ingress("plain"), route("plainer", "api"))
	if apply(t, g, units); fake.vets != 2 || fake.loads != 3 {
		t.Errorf("%d loads and %d questions after a route", fake.loads, fake.vets)
	}
}

// Very many plugins are loaded without a question.
func TestManyPluginsAreNotAskedAbout(t *testing.T) {
	fake, admin := newFakeKong(t)
	units := shop()
	for i := range maxAsked + 1 {
		limited(units, fmt.Sprintf("r%d", i), "config", i)
	}
	if outcome := apply(t, New(admin, noRelay{}), units); fake.vets != 0 || len(outcome.Refusals) != 0 {
		t.Errorf("%d questions, refusals %v", fake.vets, outcome.Refusals[:min(1, len(outcome.Refusals))])
	}
}

// A Kong that does not answer questions is sent the load.
func TestPluginsAreLoadedWhenKongDoesNotAnswer(t *testing.T) {
	fake, admin := newFakeKong(t)
	fake.mute = true
	units := shop()
	limited(units, "good", "config", "same")
	limited(units, "wrong", "bad", "config.minute")
	if outcome := apply(t, New(admin, noRelay{}), units); fake.loads != 2 || len(outcome.Refusals) != 1 {
		t.Errorf("%d loads, refusals %v", fake.loads, outcome.Refusals)
	}
}

// A plugin that makes Kong fail is found by questions, without a load.
func TestAPluginOverWhichKongFailsCostsNoLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for fault := range failures {
			fake, admin := newFakeKong(t)
			admin.Timeout = 500 * time.Millisecond
			units := shop()
			for i := range 8 {
				limited(units, fmt.Sprintf("r%d", i), "config", i)
			}
			limited(units, "broken", fault, true)
			outcome := apply(t, New(admin, noRelay{}), units)
			if fake.loads != 1 || len(outcome.Refusals) != 1 || outcome.Refusals[0].Unit.Name != "broken" || outcome.Entities[kong.Plugins] != 8 {
				t.Errorf("%s: %d loads, refusals %v", fault, fake.loads, outcome.Refusals)
			}
		}
	})
}

// A question finds the same faults as a load, with the same messages.
func TestRealKongVets(t *testing.T) {
	admin := startKong(t)
	for name, fields := range map[string][]any{
		"a wrong type":    {"name", "rate-limiting", "config", map[string]any{"minute": "x"}},
		"a missing field": {"name", "rate-limiting", "config", map[string]any{}},
		"no such field":   {"name", "cors", "config", map[string]any{"origin": "x"}},
		"no such plugin":  {"name", "nope"},
		"no such scope":   {"name", "cors", "protocols", []string{"tcp"}},
		"a wrong element": {"name", "cors", "config", map[string]any{"origins": []string{"x["}}},
		"a good one":      {"name", "cors", "config", map[string]any{"origins": []string{"*"}}},
		"of a service":    {"name", "key-auth", "config", map[string]any{"key_names": 1}},
		"no consumer's":   {"name", "key-auth", "consumer", uid(kong.Consumers, "me")},
	} {
		t.Run(name, func(t *testing.T) {
			units := realShop()
			held := entity(kong.Plugins, "p", append([]any{"route", "web"}, fields...)...)
			me := entity(kong.Consumers, "me", "username", "me")
			me.JSON = fmt.Appendf(nil, `{"id":%q,"username":"me"}`, me.ID)
			units.set(ingress("plugged"), held, me)
			p := newPlan(units, nil, nil, nil)
			vetted := messagesOf(t, New(admin, noRelay{}).vet(t.Context(), p), held.ID)
			body := kong.Declarative(p.entities())
			loaded := messagesOf(t, admin.Load(t.Context(), body), held.ID)
			if !slices.Equal(vetted, loaded) || (len(vetted) == 0) != (name == "a good one") {
				t.Errorf("asked: %q, loaded: %q", vetted, loaded)
			}
		})
	}
}

func messagesOf(t *testing.T, err error, id string) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var refused *adminapi.RefusedError
	if !errors.As(err, &refused) || len(refused.Entities) != 1 || refused.Entities[0].ID != id {
		t.Fatalf("%v: %+v", err, refused)
	}
	return refused.Entities[0].Messages
}
