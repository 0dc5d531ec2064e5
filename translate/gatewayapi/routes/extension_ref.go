package routes

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendref"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/filter"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// extensions returns the names of the KongPlugins that a route's filters refer to.
func extensions(object unit.Object) []string {
	var names []string
	add := func(ref *gatewayv1.LocalObjectReference) {
		if name, ok := filter.PluginName(ref); ok {
			names = append(names, name)
		}
	}
	switch route := object.(type) {
	case *gatewayv1.HTTPRoute:
		for i := range route.Spec.Rules {
			for _, f := range filter.All(&route.Spec.Rules[i]) {
				add(f.ExtensionRef)
			}
		}
	case *gatewayv1.GRPCRoute:
		for _, rule := range route.Spec.Rules {
			for _, f := range filter.All(backendref.HTTPRuleOf(rule)) {
				add(f.ExtensionRef)
			}
		}
	}
	return names
}

// isAttached reports whether one of a route's parents belongs to this controller.
func isAttached(r *unit.Reader, object unit.Object) bool {
	var refs []gatewayv1.ParentReference
	switch route := object.(type) {
	case *gatewayv1.HTTPRoute:
		refs = route.Spec.ParentRefs
	case *gatewayv1.GRPCRoute:
		refs = route.Spec.ParentRefs
	default:
		s, _ := backendref.StreamOf(object)
		refs = s.Common.ParentRefs
	}
	a := attachment{reader: r, namespace: object.GetNamespace()}
	a.attach(refs)
	return len(a.parents) > 0
}
