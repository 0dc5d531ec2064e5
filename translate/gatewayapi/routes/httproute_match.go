package routes

import (
	"slices"
	"strings"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/route"
)

var pathKinds = map[gatewayv1.PathMatchType]route.PathKind{
	gatewayv1.PathMatchExact:             route.Exact,
	gatewayv1.PathMatchPathPrefix:        route.Elements,
	gatewayv1.PathMatchRegularExpression: route.Regex,
}

// matchOf converts a match, without the host.
func matchOf(match gatewayv1.HTTPRouteMatch) route.Match {
	m := everything
	if p := match.Path; p != nil {
		m.Path = route.Path{Kind: pathKinds[ptr.Deref(p.Type, gatewayv1.PathMatchPathPrefix)], Value: ptr.Deref(p.Value, "/")}
	}
	if match.Method != nil {
		m.Methods = []string{string(*match.Method)}
	}
	for _, h := range match.Headers {
		m.Headers = appendValue(m.Headers, strings.ToLower(string(h.Name)), h.Value,
			ptr.Deref(h.Type, gatewayv1.HeaderMatchExact) == gatewayv1.HeaderMatchRegularExpression)
	}
	for _, q := range match.QueryParams {
		m.Queries = appendValue(m.Queries, string(q.Name), q.Value,
			ptr.Deref(q.Type, gatewayv1.QueryParamMatchExact) == gatewayv1.QueryParamMatchRegularExpression)
	}
	return m
}

// appendValue appends the match of a header or query parameter. By the specification, only the first
// entry for a name is used.
func appendValue(all []route.Values, name, value string, regex bool) []route.Values {
	if slices.ContainsFunc(all, func(v route.Values) bool { return v.Name == name }) {
		return all
	}
	return append(all, route.Values{Name: name, Values: []string{value}, Regex: regex})
}
