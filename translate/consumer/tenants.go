package consumer

import (
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/tenancy"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// tenantsRole is the role of the unit that limits consumers to their namespaces. It exists as
// long as there are consumers. Its object is their IngressClass.
const tenantsRole unit.Role[unit.None] = "consumer-tenants"

func defineTenants(g *unit.Graph, o tenancy.Options) {
	unit.Shared(g, tenantsRole, unit.IngressClass, func(*unit.Reader, unit.Key) (unit.Fragment, unit.None) {
		return unit.Fragment{Entities: []*kong.Entity{kong.Tenants(o.Isolated)}}, unit.None{}
	})
}

// limit limits a consumer to its namespace, and returns the end of a message about it.
func (t *translation) limit(className string) string {
	if t.tenancy.Everywhere() {
		return ""
	}
	unit.Use(t.reader, tenantsRole.Of("", className))
	const granted = ", and those of other namespaces where a ReferenceGrant lets KongConsumers of namespace "
	switch {
	case t.tenancy.Isolated:
		return " for routes of its namespace" + granted + t.key.Namespace + " in"
	case t.hasPlugins:
		return "; its plugins are for routes of its namespace" + granted + t.key.Namespace + " in. Elsewhere they only limit requests, unless the route has another plugin of the kind"
	}
	return ""
}

// RouteTags returns the tags of a route that name the other namespaces whose consumers it
// accepts.
func RouteTags(r *unit.Reader, route unit.Key) []string {
	namespaces := grant.Consumers(r, route)
	tags := make([]string, len(namespaces))
	for i, namespace := range namespaces {
		tags[i] = kong.ConsumersOf + namespace
	}
	return tags
}
