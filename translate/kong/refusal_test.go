package kong

import (
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
)

// TestPluginOfConsumerGuardsItsHolder holds that if Kong refuses a plugin that is limited to a
// consumer, its replacement refuses all requests, and no route leads to the service.
func TestPluginOfConsumerGuardsItsHolder(t *testing.T) {
	p := route.Plugin{Name: "rate-limiting", Consumer: "ann"}
	entities, err := Route(route.Route{Name: "web", Backend: "web", Match: route.Match{Host: "shop.example"}, Plugins: []route.Plugin{p}}, limit.Limits{}.InEffect())
	if err != nil {
		t.Fatal(err)
	}
	if closed := find(t, find(t, entities, Plugins).Instead, Routes); len(closed.Parents) > 0 {
		t.Errorf("the route in place of the guarded one leads to %v", closed.Parents)
	}
	for name, refusal := range map[string]*Entity{
		"route":   find(t, find(t, entities, Plugins).Instead, Plugins),
		"service": find(t, find(t, guards(route.Backend{Name: "web", Protocol: "http", Plugins: []route.Plugin{p}}), Plugins).Instead, Plugins),
	} {
		if strings.Contains(string(refusal.JSON), "consumer") || refusal.Name != refusing {
			t.Errorf("the refusal of the %s is limited to some consumers: %s", name, refusal.JSON)
		}
	}
}

// find returns the first entity of a type.
func find(t *testing.T, entities []*Entity, typ Type) *Entity {
	t.Helper()
	for _, e := range entities {
		if e.Type == typ {
			return e
		}
	}
	t.Fatalf("no entity has the type %s", typ)
	return nil
}
