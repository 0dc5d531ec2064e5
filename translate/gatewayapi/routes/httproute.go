package routes

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendref"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// httpRoute translates an HTTPRoute.
func (o Options) httpRoute(r *unit.Reader, key unit.Key, object *gatewayv1.HTTPRoute) unit.Fragment {
	t := requestTranslation{kind: backendref.RequestRoutes[key.Kind],
		routeTranslation: o.translationOf(r, key, object, object.Spec.CommonRouteSpec, withAliases(object, key, object.Spec.Hostnames))}
	for i := range object.Spec.Rules {
		rule := requestRule{HTTPRouteRule: &object.Spec.Rules[i]}
		for _, match := range rule.Matches {
			rule.matches = append(rule.matches, matchOf(match))
		}
		if len(rule.matches) == 0 {
			rule.matches, rule.matchless = []route.Match{everything}, true
		}
		t.rules = append(t.rules, rule)
	}
	return t.translate()
}

// everything matches all requests to a host.
var everything = route.Match{Path: route.AnyPath}
