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

// binding is a host for which the route is served, through one or more listeners.
type binding struct {
	host route.Host
	// not are the excluded hosts: those of more specific listeners.
	not []route.Host
	// schemes are sorted; only request routes can have several.
	schemes []string
	// port is the port of the first listener. The others have the same one unless kongPort is 0.
	port, kongPort int32
	// ports are the ports of the listeners by scheme, if kongPort is 0.
	ports map[string][]int32
	// clientCertificate is the Secret with the key pair for backends over TLS; empty for none.
	clientCertificate types.NamespacedName
	// validated is whether clients need a valid certificate.
	validated bool
	// gateways are the Gateways of the HTTPS listeners, and connections the connections for these
	// listeners. If anyConnection is set, requests are served over all connections.
	gateways      []unit.Key
	connections   []route.ServerNames
	anyConnection bool
}

func (b binding) hasClientCertificate() bool { return b.clientCertificate.Name != "" }

// bind serves a host through a listener of a Gateway, without the hosts of more specific listeners.
// The namespace is that of the object with the listener.
func (a *attachment) bind(host route.Host, l gateway.Listener, gatewayKey unit.Key, namespace string) {
	if !l.Serves {
		return
	}
	not, some := a.moreSpecific(gatewayKey, l, host)
	if !some {
		return
	}
	for _, i := range a.byHost[host] {
		if b := &a.bindings[i]; slices.Equal(b.not, not) && b.kongPort == l.KongPort && canShare(b.schemes, l.Scheme) {
			if b.clientCertificate != l.ClientCertificate {
				a.ambiguous = append(a.ambiguous, fmt.Sprintf("two Gateways share the host %q at the same port of Kong and have different client certificates for backends; Kong presents %s", host, secretOrNone(b.clientCertificate)))
			}
			if !slices.Contains(b.schemes, l.Scheme) {
				b.schemes = append(b.schemes, l.Scheme)
				slices.Sort(b.schemes)
			}
			b.addPort(l)
			b.addConnections(a, l, gatewayKey, namespace)
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
	b.addPort(l)
	b.addConnections(a, l, gatewayKey, namespace)
	a.bindings = append(a.bindings, b)
}

// addPort adds the port of a listener without a port of Kong.
func (b *binding) addPort(l gateway.Listener) {
	if b.kongPort != 0 || slices.Contains(b.ports[l.Scheme], l.Port) {
		return
	}
	if b.ports == nil {
		b.ports = map[string][]int32{}
	}
	b.ports[l.Scheme] = append(b.ports[l.Scheme], l.Port)
	slices.Sort(b.ports[l.Scheme])
}

// canShare reports whether one route in Kong can serve listeners of the schemes and of the other one.
func canShare(schemes []string, other string) bool {
	return slices.Contains(schemes, other) || other == "http" || other == "https"
}

// secretOrNone returns the Secret with a client certificate as messages name it.
func secretOrNone(secret types.NamespacedName) string {
	if secret.Name == "" {
		return "none"
	}
	return "the one of Secret " + secret.String()
}

// forHost returns the host of a binding as messages name it: " for a.example".
func (b binding) forHost() string {
	if b.host == "" {
		return ""
	}
	return " for " + string(b.host)
}
