package gateway

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-sync/kube-sync/translate/kong"
)

// noRelay is for tests without a relay.
type noRelay struct{}

func (noRelay) Add([]*kong.Entity)    {}
func (noRelay) Remove([]*kong.Entity) {}
func (noRelay) Keep([]*kong.Entity)   {}

// table is a relay that records its rules.
type table map[string]*kong.Entity

func (t table) Add(relays []*kong.Entity) {
	for _, e := range relays {
		t[e.Name] = e
	}
}

func (t table) Remove(relays []*kong.Entity) {
	for _, e := range relays {
		delete(t, e.Name)
	}
}

func (t table) Keep(relays []*kong.Entity) {
	clear(t)
	t.Add(relays)
}

func (t table) names() string { return strings.Join(slices.Sorted(maps.Keys(t)), " ") }

// watched returns a Kong that checks that the relay has the rule of each of its services.
func watched(t *testing.T) (*fakeKong, *Gateway, table) {
	t.Helper()
	fake, admin := newFakeKong(t)
	fake.companion = true
	relay := table{}
	fake.told = func() {
		for _, s := range fake.config["services"] {
			if name, _ := s["name"].(string); relay[name] == nil {
				t.Errorf("Kong has the service %s, and the relay only %q", name, relay.names())
			}
		}
	}
	return fake, New(admin, relay), relay
}

func relayed(name, version string) []*kong.Entity {
	return []*kong.Entity{entity(kong.Services, name), entity(kong.Relays, name, "version", version)}
}

// The relay has a rule as long as Kong has its service, with full loads and deltas. Kong is not
// sent the relay's entities.
func TestRelaysAreThereFirst(t *testing.T) {
	fake, g, relay := watched(t)
	units := &graph{}
	units.set(backend("one"), relayed("one", "a")...)
	apply(t, g, units)
	units.set(backend("two"), relayed("two", "a")...)
	applyChanged(t, g, units, backend("two"))
	if got := relay.names(); got != "one two" {
		t.Errorf("the relay has %q", got)
	}
	if got := fake.content(); len(got["relays"]) > 0 {
		t.Errorf("Kong was sent relays: %v", got)
	}
	delete(units.views, backend("one"))
	applyChanged(t, g, units, backend("one"))
	if got := relay.names(); got != "two" {
		t.Errorf("the relay has %q", got)
	}
	delete(units.views, backend("two"))
	apply(t, g, units)
	if got := relay.names(); got != "" {
		t.Errorf("the relay has %q", got)
	}
}

// A change of endpoints is sent only to the relay.
func TestRelaysChangeWithoutKong(t *testing.T) {
	fake, g, relay := watched(t)
	units := &graph{}
	units.set(backend("one"), relayed("one", "a")...)
	apply(t, g, units)
	loads, deltas := fake.loads, fake.deltas
	units.set(backend("one"), relayed("one", "b")...)
	outcome := applyChanged(t, g, units, backend("one"))
	if fake.loads != loads || fake.deltas != deltas || outcome.Sent {
		t.Errorf("Kong was told of it: %+v", outcome)
	}
	if !strings.Contains(string(relay["one"].JSON), `"b"`) {
		t.Errorf("the relay has %s", relay["one"].JSON)
	}
	if other := apply(t, New(g.admin, relay), units); other.Sent {
		t.Errorf("after a restart Kong was sent all: %+v", other)
	}
}

// A unit that Kong refuses keeps the relay of its last good version.
func TestRelaysOfRefusedUnits(t *testing.T) {
	_, g, relay := watched(t)
	units := &graph{}
	units.set(backend("one"), relayed("one", "a")...)
	apply(t, g, units)
	units.set(backend("one"), append(relayed("one", "b"), entity(kong.Routes, "web", "service", "one", "bad", "no"))...)
	outcome := applyChanged(t, g, units, backend("one"))
	if len(outcome.Refusals) != 1 || !outcome.Refusals[0].Kept {
		t.Fatalf("refusals: %+v", outcome.Refusals)
	}
	if diff := cmp.Diff("one", relay.names()); diff != "" || !strings.Contains(string(relay["one"].JSON), `"a"`) {
		t.Errorf("the relay has %q: %s", relay.names(), relay["one"].JSON)
	}
}
