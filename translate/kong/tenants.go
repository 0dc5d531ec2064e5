package kong

import (
	"encoding/json"

	"github.com/kube-sync/kube-sync/translate/route"
)

// tenants is the plugin that limits consumers and their plugins to routes of their namespaces.
const tenants = "kube-sync-tenants"

// ConsumersOf is the prefix of the tags of a route that name the other namespaces whose consumers
// the route accepts.
const ConsumersOf = OwnTag + "consumers-of:"

// Tenants returns the plugin that limits consumers and their plugins to routes of their own
// namespace and of namespaces that grant it. If isolated is set, routes do not recognize other
// consumers, and a Kong without the plugin refuses all requests.
func Tenants(isolated bool) *Entity {
	config, err := json.Marshal(map[string]bool{"isolated": isolated})
	if err != nil {
		panic(err) // a boolean only
	}
	e := Plugin(route.Plugin{Name: tenants, Config: config}, Ref{}, "")
	e.Instead = []*Entity{}
	if isolated {
		e.Instead = []*Entity{Closed("consumers cannot be distinguished by their namespaces", nil)}
	}
	return e
}
