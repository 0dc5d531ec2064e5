package gatewayapi

import (
	"cmp"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

var grpcRouteKind = gatewayv1.SchemeGroupVersion.WithKind("GRPCRoute")

// grpcRoute translates a GRPCRoute. In Kong its routes are of plain requests and its
// services of gRPC: requests that are not gRPC's are the backend's to refuse, or a
// plugin's to make it of.
func (o Options) grpcRoute(r *unit.Reader, key unit.Key, object *gatewayv1.GRPCRoute) unit.Fragment {
	t := requestTranslation{dialect: requestRoutes[key.Kind],
		routeTranslation: o.translationOf(r, key, object, object.Spec.CommonRouteSpec, withAliases(object, key, object.Spec.Hostnames))}
	for _, rule := range object.Spec.Rules {
		t.rules = append(t.rules, requestRule{HTTPRouteRule: httpRuleOf(rule), matches: grpcMatches(rule), matchless: len(rule.Matches) == 0})
	}
	fragment := t.translate()
	if len(t.attachment.bindings) > 0 {
		unit.Use(r, unimplementedRole.Of("", ""))
	}
	return fragment
}

// httpRuleOf says what a rule of a GRPCRoute says, but for its matches, in the words of
// an HTTPRoute.
func httpRuleOf(rule gatewayv1.GRPCRouteRule) *gatewayv1.HTTPRouteRule {
	as := &gatewayv1.HTTPRouteRule{
		Name: rule.Name, Filters: httpFilters(rule.Filters), SessionPersistence: rule.SessionPersistence,
	}
	for _, ref := range rule.BackendRefs {
		as.BackendRefs = append(as.BackendRefs, gatewayv1.HTTPBackendRef{BackendRef: ref.BackendRef, Filters: httpFilters(ref.Filters)})
	}
	return as
}

func httpFilters(filters []gatewayv1.GRPCRouteFilter) []gatewayv1.HTTPRouteFilter {
	var as []gatewayv1.HTTPRouteFilter
	for _, f := range filters {
		as = append(as, gatewayv1.HTTPRouteFilter{
			Type:                   gatewayv1.HTTPRouteFilterType(f.Type),
			RequestHeaderModifier:  f.RequestHeaderModifier,
			ResponseHeaderModifier: f.ResponseHeaderModifier,
			RequestMirror:          f.RequestMirror,
			ExtensionRef:           f.ExtensionRef,
		})
	}
	return as
}

// grpcMatches are a rule's matches, for one without any that of all requests.
func grpcMatches(rule gatewayv1.GRPCRouteRule) []route.Match {
	var matches []route.Match
	for _, match := range rule.Matches {
		m := route.Match{Path: grpcPath(match.Method)}
		for _, h := range match.Headers {
			m.Headers = appendValue(m.Headers, strings.ToLower(string(h.Name)), h.Value,
				value(h.Type, gatewayv1.GRPCHeaderMatchExact) == gatewayv1.GRPCHeaderMatchRegularExpression)
		}
		matches = append(matches, m)
	}
	if len(matches) == 0 {
		matches = []route.Match{everything}
	}
	return matches
}

// grpcPath is that of requests for a method: "/package.Service/Method".
func grpcPath(m *gatewayv1.GRPCMethodMatch) route.Path {
	if m == nil {
		return everything.Path
	}
	service, method := value(m.Service, ""), value(m.Method, "")
	switch regex := value(m.Type, gatewayv1.GRPCMethodMatchExact) == gatewayv1.GRPCMethodMatchRegularExpression; {
	case service == "" && method == "":
		return everything.Path
	case regex:
		return route.Path{Kind: route.Regex, Value: "^/" + wholeElement(service) + "/" + wholeElement(method) + "$"}
	case service == "":
		return route.Path{Kind: route.Last, Value: method}
	case method == "":
		return route.Path{Kind: route.Elements, Value: "/" + service}
	}
	return route.Path{Kind: route.Exact, Value: "/" + service + "/" + method}
}

// wholeElement has a regular expression match a path's element and not a part of it.
func wholeElement(regex string) string {
	return "(?:" + cmp.Or(regex, "[^/]+") + ")"
}
