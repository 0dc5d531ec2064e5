// Package grant decides on references across namespaces. An object may refer to one
// in another namespace if a ReferenceGrant there says so, and in no other way.
package grant

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// inNamespace finds all grants of a namespace.
const inNamespace unit.Kind = "ReferenceGrant of Namespace"

// From is who refers.
type From struct{ Group, Kind, Namespace string }

// To is what is referred to.
type To struct{ Group, Kind, Namespace, Name string }

// Define has a graph know the grants.
func Define(g *unit.Graph) {
	g.DefineIndex(unit.Index{
		Name:  inNamespace,
		Kind:  unit.ReferenceGrant,
		Owner: func(object unit.Object) (string, string, bool) { return "", object.GetNamespace(), true },
	})
}

// Allows tells whether the reference may be followed.
func Allows(r *unit.Reader, from From, to To) bool {
	if from.Namespace == to.Namespace {
		return true
	}
	for _, g := range unit.List[*gatewayv1.ReferenceGrant](r, unit.Key{Kind: inNamespace, Name: to.Namespace}) {
		if trusts(g.Spec.From, from) && covers(g.Spec.To, to) {
			return true
		}
	}
	return false
}

func trusts(all []gatewayv1.ReferenceGrantFrom, from From) bool {
	for _, f := range all {
		if string(f.Group) == from.Group && string(f.Kind) == from.Kind && string(f.Namespace) == from.Namespace {
			return true
		}
	}
	return false
}

func covers(all []gatewayv1.ReferenceGrantTo, to To) bool {
	for _, t := range all {
		named := t.Name == nil || *t.Name == "" || string(*t.Name) == to.Name
		if named && string(t.Group) == to.Group && string(t.Kind) == to.Kind {
			return true
		}
	}
	return false
}
