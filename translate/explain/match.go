package explain

import (
	"slices"

	"github.com/kube-sync/kube-sync/translate/expression"
)

// protocols are the values of net.protocol for the protocols of a route.
var protocols = map[string]string{"grpc": "http", "grpcs": "https", "tls_passthrough": "tcp"}

func isStream(all []string) bool {
	return slices.ContainsFunc(all, func(p string) bool { return slices.Contains([]string{"tcp", "tls", "tls_passthrough", "udp"}, p) })
}

// withProtocols returns a route's expression as Kong's router has it. Routes for https alone also
// match plain requests, to redirect them, and routes for TLS alone all connections.
func withProtocols(r *routeEntity) (expression.Expr, error) {
	expr, err := expression.Parse(r.Expression)
	if err != nil || len(r.Protocols) == 1 && slices.Contains([]string{"https", "tls", "tls_passthrough"}, r.Protocols[0]) {
		return expr, err
	}
	var terms []expression.Expr
	for _, p := range r.Protocols {
		if name, ok := protocols[p]; ok {
			p = name
		}
		terms = append(terms, expression.Equal(expression.NetProtocol, p))
	}
	return expression.And(expr, expression.Or(terms...)), nil
}

// routes returns the routes for requests or for streams, in the order in which Kong tries them.
func (c *Configuration) routes(r Request) []*routeEntity {
	if r.ofRequests() {
		return c.requests
	}
	return c.streams
}

// first returns the route that takes a request; nil if none does.
func (c *Configuration) first(r Request, routed *expression.Request) *routeEntity {
	for _, route := range c.routes(r) {
		if _, ok := route.program.Eval(routed); ok {
			return route
		}
	}
	return nil
}
