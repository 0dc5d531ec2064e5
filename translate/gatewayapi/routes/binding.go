package routes

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/gatewayapi/gateway"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// binding is a host that the route is served for.
type binding struct {
	host route.Host
	// not are hosts of more specific listeners, whose requests are theirs alone.
	not []route.Host
	// schemes are in order; there are several for requests alone.
	schemes []string
	// port is that of the listeners, which may have several if kongPort is 0.
	port, kongPort int32
	// reached are the ports of listeners by scheme, where kongPort is 0.
	reached map[string][]int32
	// clientCertificate is the Secret with the key pair for backends over TLS; empty for none.
	clientCertificate types.NamespacedName
	// validated lets only clients by that have a good certificate.
	validated bool
	// gateways are those with listeners for HTTPS among the binding's, and connections those for
	// these listeners. If anyConnection is set, requests are served over others too.
	gateways      []unit.Key
	connections   []route.ServerNames
	anyConnection bool
}

func (b binding) hasClientCertificate() bool { return b.clientCertificate.Name != "" }

// bind serves a host through a listener of a Gateway, which an object of a namespace adds to it,
// but for what more specific listeners serve.
func (a *attachment) bind(host route.Host, l gateway.Listener, gw unit.Key, of string) {
	if !l.Serves {
		return
	}
	not, some := a.moreSpecific(gw, l, host)
	if !some {
		return
	}
	for _, i := range a.byHost[host] {
		if b := &a.bindings[i]; slices.Equal(b.not, not) && b.kongPort == l.KongPort && together(b.schemes, l.Scheme) {
			if b.clientCertificate != l.ClientCertificate {
				a.ambiguous = append(a.ambiguous, fmt.Sprintf("two Gateways have the host %q at one port of Kong's, and different certificates for backends; they are shown %s", host, secretOrNone(b.clientCertificate)))
			}
			if !slices.Contains(b.schemes, l.Scheme) {
				b.schemes = append(b.schemes, l.Scheme)
				slices.Sort(b.schemes)
			}
			b.reach(l)
			b.secured(a, l, gw, of)
			return
		}
	}
	if len(a.bindings) >= limit.Hosts {
		a.omitted++
		return
	}
	if a.byHost == nil {
		a.byHost = map[route.Host][]int{}
	}
	a.byHost[host] = append(a.byHost[host], len(a.bindings))
	b := binding{host: host, not: not, schemes: []string{l.Scheme}, port: l.Port, kongPort: l.KongPort, clientCertificate: l.ClientCertificate,
		validated: l.Validated}
	b.reach(l)
	b.secured(a, l, gw, of)
	a.bindings = append(a.bindings, b)
}

// reach notes the port of a listener that shares Kong's port with others.
func (b *binding) reach(l gateway.Listener) {
	if b.kongPort != 0 || slices.Contains(b.reached[l.Scheme], l.Port) {
		return
	}
	if b.reached == nil {
		b.reached = map[string][]int32{}
	}
	b.reached[l.Scheme] = append(b.reached[l.Scheme], l.Port)
	slices.Sort(b.reached[l.Scheme])
}

// together tells whether one route of Kong can be for listeners of both schemes.
func together(schemes []string, other string) bool {
	return slices.Contains(schemes, other) || other == "http" || other == "https"
}

// secretOrNone names the Secret with a key pair.
func secretOrNone(secret types.NamespacedName) string {
	if secret.Name == "" {
		return "none"
	}
	return "that of Secret " + secret.String()
}

// forHost names the host of a binding in messages.
func (b binding) forHost() string {
	if b.host == "" {
		return ""
	}
	return " for " + string(b.host)
}
