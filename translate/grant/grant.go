// Package grant decides on references across namespaces. An object may refer to one in another
// namespace only if a ReferenceGrant there allows it.
package grant

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// inNamespace finds ReferenceGrants by their namespace.
const inNamespace unit.Index[string] = "ReferenceGrant of Namespace"

// Define adds the index of ReferenceGrants to a graph.
func Define(g *unit.Graph) {
	unit.DefineIndex(g, inNamespace, unit.ReferenceGrant, func(object unit.Object) []string { return []string{object.GetNamespace()} })
}

// Allows reports whether one object may refer to another: both are in one namespace, or a
// ReferenceGrant in the target's namespace allows it.
func Allows(r *unit.Reader, from, to unit.Key) bool {
	if from.Namespace == to.Namespace {
		return true
	}
	for _, g := range unit.List[*gatewayv1.ReferenceGrant](r, inNamespace, to.Namespace) {
		if trusts(g.Spec.From, from) && covers(g.Spec.To, to) {
			return true
		}
	}
	return false
}

// Missing returns the key of the ReferenceGrant that would allow a reference to the object. Its
// name is empty, because any name will do.
func Missing(to unit.Key) unit.Key {
	return unit.ReferenceGrant.Key(to.Namespace, "")
}

// Referrers returns the keys of the objects that refer to an object and may do so, in order. The
// index finds objects by the name of the object to which they refer. Any object can name any other,
// so every index of references across namespaces must be read through this function.
func Referrers(r *unit.Reader, index unit.Index[types.NamespacedName], to unit.Key) []unit.Key {
	keys := unit.Keys(r, index, types.NamespacedName{Namespace: to.Namespace, Name: to.Name})
	return slices.DeleteFunc(keys, func(from unit.Key) bool { return !Allows(r, from, to) })
}

func trusts(all []gatewayv1.ReferenceGrantFrom, from unit.Key) bool {
	for _, f := range all {
		if string(f.Group) == from.Kind.Group() && string(f.Kind) == string(from.Kind) && string(f.Namespace) == from.Namespace {
			return true
		}
	}
	return false
}

func covers(all []gatewayv1.ReferenceGrantTo, to unit.Key) bool {
	for _, t := range all {
		named := t.Name == nil || *t.Name == "" || string(*t.Name) == to.Name
		if named && unit.SameGroup(t.Group, to.Kind.Group()) && string(t.Kind) == string(to.Kind) {
			return true
		}
	}
	return false
}

// Consumers returns the other namespaces whose KongConsumers a ReferenceGrant allows on a route,
// in order.
func Consumers(r *unit.Reader, route unit.Key) []string {
	return consumers(r, route.Namespace, func(to []gatewayv1.ReferenceGrantTo) bool { return covers(to, route) })
}

// consumerRoutes are the kinds of routes whose plugins may authenticate consumers.
var consumerRoutes = []unit.Kind{unit.Ingress, unit.HTTPRoute, unit.GRPCRoute}

// ConsumersOf returns the other namespaces whose KongConsumers a ReferenceGrant allows on any
// route of a namespace, in order.
func ConsumersOf(r *unit.Reader, namespace string) []string {
	return consumers(r, namespace, func(to []gatewayv1.ReferenceGrantTo) bool {
		return slices.ContainsFunc(to, func(t gatewayv1.ReferenceGrantTo) bool {
			kind := unit.Kind(t.Kind)
			return slices.Contains(consumerRoutes, kind) && string(t.Group) == kind.Group()
		})
	})
}

func consumers(r *unit.Reader, namespace string, covered func([]gatewayv1.ReferenceGrantTo) bool) []string {
	var namespaces []string
	for _, g := range unit.List[*gatewayv1.ReferenceGrant](r, inNamespace, namespace) {
		if !covered(g.Spec.To) {
			continue
		}
		for _, f := range g.Spec.From {
			from := unit.KongConsumer.Key(string(f.Namespace), "")
			if trusts([]gatewayv1.ReferenceGrantFrom{f}, from) && from.Namespace != namespace {
				namespaces = append(namespaces, from.Namespace)
			}
		}
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}
