package gateway

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// apply applies and fails the test if there is an error.
func apply(t *testing.T, g *Gateway, units Units) Outcome {
	t.Helper()
	outcome, err := g.Apply(t.Context(), units, nil)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

// shop returns a backend and two Ingresses for it.
func shop() *graph {
	g := &graph{}
	g.set(backend("api"), entity(kong.Services, "api"), entity(kong.Upstreams, "api.svc"))
	g.set(ingress("web"), entity(kong.Routes, "web", "service", "api"))
	g.set(ingress("old"), entity(kong.Routes, "old", "service", "api"))
	return g
}

func TestApplySendsOnce(t *testing.T) {
	fake, admin := newFakeKong(t)
	g, units := New(admin, noRelay{}), shop()

	first := apply(t, g, units)
	if !first.Sent || first.Rounds != 1 || first.Hash != fake.hash || first.Bytes == 0 {
		t.Errorf("first: %+v", first)
	}
	want := map[kong.Type]int{kong.Services: 1, kong.Upstreams: 1, kong.Routes: 2}
	if diff := cmp.Diff(want, first.Entities); diff != "" {
		t.Error(diff)
	}
	if again := apply(t, g, units); again.Sent || again.Rounds != 0 || again.Hash != first.Hash {
		t.Errorf("again: %+v", again)
	}
	// After a restart, Kong has the configuration.
	if other := apply(t, New(admin, noRelay{}), units); other.Sent {
		t.Errorf("after a restart: %+v", other)
	}
	if fake.loads != 1 {
		t.Errorf("%d loads", fake.loads)
	}
	// Kong has lost it.
	fake.hash = zeros
	if lost := apply(t, g, units); !lost.Sent {
		t.Errorf("after a loss: %+v", lost)
	}
}

func TestApplyNothing(t *testing.T) {
	fake, admin := newFakeKong(t)
	if outcome := apply(t, New(admin, noRelay{}), &graph{}); !outcome.Sent || len(outcome.Entities) != 0 {
		t.Errorf("%+v", outcome)
	}
	if got := fake.names(kong.Upstreams); !slices.Equal(got, []string{"kong"}) {
		t.Errorf("upstreams %v", got)
	}
}

func TestApplyErrors(t *testing.T) {
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		}
	}
	tests := map[string]struct {
		answer http.HandlerFunc
		want   error
		says   string
	}{
		"busy":   {status(429, `{"message":"Currently loading"}`), adminapi.ErrBusy, ""},
		"crash":  {status(500, `{"message":"An unexpected error occurred"}`), adminapi.ErrFailed, ""}, // temporary
		"a liar": {status(201, `{}`), nil, "something else writes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			fake, admin := newFakeKong(t)
			g, units := New(admin, noRelay{}), shop()
			apply(t, g, units)
			before := fake.hash
			units.set(ingress("new"), entity(kong.Routes, "new", "service", "api"))
			fake.answers = []http.HandlerFunc{tt.answer}
			_, err := g.Apply(t.Context(), units, nil)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v", err)
			}
			if fake.hash != before {
				t.Error("Kong's configuration changed")
			}
			if outcome := apply(t, g, units); !outcome.Sent || len(outcome.Refusals) != 0 {
				t.Errorf("afterwards: %+v", outcome)
			}
		})
	}
}

func TestRenderIsDeterministic(t *testing.T) {
	units := shop()
	want := string(kong.Declarative(newPlan(units, nil, nil, nil).entities()))
	if !strings.HasPrefix(want, `{"_format_version":"3.0","services":[{`) || !strings.HasSuffix(want, `}]}`) {
		t.Error(want)
	}
	entities := newPlan(units, nil, nil, nil).entities()
	for range 20 {
		rand.Shuffle(len(entities), func(i, j int) { entities[i], entities[j] = entities[j], entities[i] })
		if got := string(kong.Declarative(kong.Sorted(entities))); got != want {
			t.Fatalf("%s\nwant %s", got, want)
		}
	}
	if body := kong.Declarative(entities); cap(body) > len(body)+1024 {
		t.Errorf("a body of %d bytes was given %d", len(body), cap(body))
	}
}

func TestRenderUnknownType(t *testing.T) {
	list := []*kong.Entity{entity("unknown", "v"), entity(kong.Plugins, "p"), entity("strange", "c")}
	body := string(kong.Declarative(kong.Sorted(list)))
	if i, j, k := strings.Index(body, "plugins"), strings.Index(body, "strange"), strings.Index(body, "unknown"); i > j || j > k {
		t.Error(body)
	}
}

func TestSharedEntityOnce(t *testing.T) {
	fake, admin := newFakeKong(t)
	units := shop()
	units.set(ingress("also"), entity(kong.Routes, "web", "service", "api"))
	outcome := apply(t, New(admin, noRelay{}), units)
	if len(outcome.Refusals) != 0 || outcome.Entities[kong.Routes] != 2 || fake.loads != 1 {
		t.Errorf("%+v", outcome)
	}
}

func BenchmarkPlan(b *testing.B) {
	units := &graph{}
	for i := range 10_000 {
		name := fmt.Sprint(i)
		entities := []*kong.Entity{entity(kong.Services, name), entity(kong.Upstreams, name)}
		for j := range 5 {
			entities = append(entities, entity(kong.Targets, name+":"+fmt.Sprint(j)))
		}
		units.set(backend(name), entities...)
		units.set(ingress(name), entity(kong.Routes, name, "service", name))
	}
	applied := map[unit.ID]part{}
	b.ReportAllocs()
	for b.Loop() {
		p := newPlan(units, nil, nil, applied)
		_ = hashOf(kong.Declarative(p.entities()))
		applied = p.parts
	}
}
