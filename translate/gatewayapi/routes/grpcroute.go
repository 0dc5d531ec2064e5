package routes

import (
	"cmp"
	"strings"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendref"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// grpcRoute translates a GRPCRoute. In Kong its routes have HTTP protocols and its services gRPC ones:
// the backend refuses requests that are not gRPC, or a plugin converts them.
func (o Options) grpcRoute(r *unit.Reader, key unit.Key, object *gatewayv1.GRPCRoute) unit.Fragment {
	t := requestTranslation{kind: backendref.RequestRoutes[key.Kind],
		routeTranslation: o.translationOf(r, key, object, object.Spec.CommonRouteSpec, withAliases(object, key, object.Spec.Hostnames))}
	for _, rule := range object.Spec.Rules {
		t.rules = append(t.rules, requestRule{HTTPRouteRule: backendref.HTTPRuleOf(rule), matches: grpcMatches(rule), matchless: len(rule.Matches) == 0})
	}
	fragment := t.translate()
	if len(t.attachment.bindings) > 0 {
		unit.Use(r, unimplementedRole.Of("", ""))
	}
	return fragment
}

// grpcMatches returns the matches of a rule. A rule without matches matches all requests.
func grpcMatches(rule gatewayv1.GRPCRouteRule) []route.Match {
	var matches []route.Match
	for _, match := range rule.Matches {
		m := route.Match{Path: grpcPath(match.Method)}
		for _, h := range match.Headers {
			m.Headers = appendValue(m.Headers, strings.ToLower(string(h.Name)), h.Value,
				ptr.Deref(h.Type, gatewayv1.GRPCHeaderMatchExact) == gatewayv1.GRPCHeaderMatchRegularExpression)
		}
		matches = append(matches, m)
	}
	if len(matches) == 0 {
		matches = []route.Match{everything}
	}
	return matches
}

// grpcPath returns the path of requests for a method: "/package.Service/Method".
func grpcPath(m *gatewayv1.GRPCMethodMatch) route.Path {
	if m == nil {
		return route.AnyPath
	}
	service, method := ptr.Deref(m.Service, ""), ptr.Deref(m.Method, "")
	switch regex := ptr.Deref(m.Type, gatewayv1.GRPCMethodMatchExact) == gatewayv1.GRPCMethodMatchRegularExpression; {
	case service == "" && method == "":
		return route.AnyPath
	case regex:
		return route.Path{Kind: route.Regex, Value: "^/" + wholeElement(service) + "/" + wholeElement(method) + "$"}
	case service == "":
		return route.Path{Kind: route.Last, Value: method}
	case method == "":
		return route.Path{Kind: route.Elements, Value: "/" + service}
	}
	return route.Path{Kind: route.Exact, Value: "/" + service + "/" + method}
}

// wholeElement returns a regular expression that matches a whole element of a path.
func wholeElement(regex string) string {
	return "(?:" + cmp.Or(regex, "[^/]+") + ")"
}
