package gatewayapi

import (
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/route"
)

var pathKinds = map[gatewayv1.PathMatchType]route.PathKind{
	gatewayv1.PathMatchExact:             route.Exact,
	gatewayv1.PathMatchPathPrefix:        route.Elements,
	gatewayv1.PathMatchRegularExpression: route.Regex,
}

// matchOf reads a match, but for the host.
func matchOf(match gatewayv1.HTTPRouteMatch) route.Match {
	m := route.Match{Path: route.Path{Kind: route.Elements, Value: "/"}}
	if p := match.Path; p != nil {
		m.Path = route.Path{Kind: pathKinds[value(p.Type, gatewayv1.PathMatchPathPrefix)], Value: value(p.Value, "/")}
	}
	if match.Method != nil {
		m.Methods = []string{string(*match.Method)}
	}
	// Of entries for one name the specification has only the first count.
	named := map[string]bool{}
	for _, h := range match.Headers {
		if name := strings.ToLower(string(h.Name)); !named[name] {
			named[name] = true
			m.Headers = append(m.Headers, route.Values{Name: name, Values: []string{h.Value},
				Regex: value(h.Type, gatewayv1.HeaderMatchExact) == gatewayv1.HeaderMatchRegularExpression})
		}
	}
	clear(named)
	for _, q := range match.QueryParams {
		if name := string(q.Name); !named[name] {
			named[name] = true
			m.Queries = append(m.Queries, route.Values{Name: name, Values: []string{q.Value},
				Regex: value(q.Type, gatewayv1.QueryParamMatchExact) == gatewayv1.QueryParamMatchRegularExpression})
		}
	}
	return m
}
