package gateway

import (
	"maps"
	"testing"

	"github.com/kube-sync/kube-sync/translate/kong"
)

// Metrics say why objects are refused.
func TestReasonsOfRefusals(t *testing.T) {
	_, admin := newFakeKong(t)
	g, units := New(admin, noRelay{}), shop()
	units.set(ingress("first"), entity(kong.Routes, "same", "service", "api", "id", low))
	apply(t, g, units)
	units.set(backend("broken"), entity(kong.Services, "broken", "bad", "no such protocol"))
	units.set(ingress("hanging"), entity(kong.Routes, "hanging", "service", "broken"))
	units.set(ingress("second"), entity(kong.Routes, "same", "service", "api", "id", high))
	got := map[string]Reason{}
	for _, refusal := range apply(t, g, units).Refusals {
		got[refusal.Unit.Name] = refusal.Reason
	}
	if want := map[string]Reason{"broken": Invalid, "hanging": Dependent, "second": Conflicting}; !maps.Equal(got, want) {
		t.Errorf("the reasons are %v, want %v", got, want)
	}
}
