package kong

import (
	"encoding/json"

	"github.com/kube-sync/kube-sync/translate/route"
)

// tenants is the plugin that keeps consumers and their plugins to routes of their namespaces.
const tenants = "kube-sync-tenants"

// ConsumersOf is what the tags of routes start with that name namespaces whose consumers the
// route is for.
const ConsumersOf = OwnTag + "consumers-of:"

// Tenants returns the plugin that makes consumers and their plugins take effect on routes of
// their own namespaces alone, and of those that grant it. Isolated makes other consumers
// unknown there. Without the plugin, an isolated gateway is closed.
func Tenants(isolated bool) *Entity {
	config, err := json.Marshal(map[string]bool{"isolated": isolated})
	if err != nil {
		panic(err) // a boolean
	}
	e := Plugin(route.Plugin{Name: tenants, Config: config}, Ref{}, "")
	e.Instead = []*Entity{}
	if isolated {
		e.Instead = []*Entity{Closed("consumers cannot be told apart by their namespaces", nil)}
	}
	return e
}
