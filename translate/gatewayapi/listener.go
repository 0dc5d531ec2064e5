package gatewayapi

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/route"
)

// listener is what routes need to know of one.
type listener struct {
	Name string
	Host route.Host
	Port int32
	// KongPort is the port of Kong to which the listener's requests, and no others, come;
	// 0 if they come by the Service in front of Kong.
	KongPort int32
	// Scheme is "http" or "https", or for streams "tcp", "tls", "tls_passthrough" or "udp".
	Scheme string
	// Kinds are those of the routes that may attach.
	Kinds []string
	// From and Selector are the namespaces of the routes that may.
	From     gatewayv1.FromNamespaces
	Selector *metav1.LabelSelector
	// Serves is false for one that takes no requests.
	Serves bool
}

// schemes of the protocols that we support.
var schemes = map[gatewayv1.ProtocolType]string{
	gatewayv1.HTTPProtocolType:  "http",
	gatewayv1.HTTPSProtocolType: "https",
	gatewayv1.TLSProtocolType:   "tls",
	gatewayv1.TCPProtocolType:   "tcp",
	gatewayv1.UDPProtocolType:   "udp",
}

// routeKinds are the kinds of routes for each protocol.
var routeKinds = map[gatewayv1.ProtocolType][]string{
	gatewayv1.HTTPProtocolType:  {"HTTPRoute", "GRPCRoute"},
	gatewayv1.HTTPSProtocolType: {"HTTPRoute", "GRPCRoute"},
	gatewayv1.TLSProtocolType:   {"TLSRoute"},
	gatewayv1.TCPProtocolType:   {"TCPRoute"},
	gatewayv1.UDPProtocolType:   {"UDPRoute"},
}

// assessment is one listener and its conditions.
type assessment struct {
	spec       gatewayv1.Listener
	kongPort   int32
	kinds      []gatewayv1.RouteGroupKind
	accepted   metav1.Condition
	conflicted metav1.Condition
	resolved   metav1.Condition
	programmed metav1.Condition
}

// assess judges a listener by itself, but for what it refers to.
func (o Options) assess(gateway *gatewayv1.Gateway, l gatewayv1.Listener, ports ports) assessment {
	a := assessment{spec: l, accepted: listenerAccepted(), conflicted: listenerNoConflicts()}
	a.kinds, a.resolved = allowedKinds(l)
	var unavailable *metav1.Condition
	a.kongPort, unavailable = ports.of(l)
	switch {
	case schemes[l.Protocol] == "":
		a.accepted = listenerUnsupportedProtocol(l.Protocol)
	case unavailable != nil:
		a.accepted = *unavailable
	case l.Protocol == gatewayv1.HTTPSProtocolType && mode(l) != gatewayv1.TLSModeTerminate:
		a.accepted = listenerUnsupportedValue("a listener for HTTPS terminates TLS")
	case l.Protocol == gatewayv1.HTTPSProtocolType && gateway.Spec.TLS != nil && gateway.Spec.TLS.Frontend != nil:
		// Whoever wants clients to be validated relies on it.
		a.accepted = listenerUnsupportedValue("tls.frontend is not supported; nothing is served rather than to everybody")
	}
	return a
}

func mode(l gatewayv1.Listener) gatewayv1.TLSModeType {
	if l.TLS == nil {
		return gatewayv1.TLSModeTerminate
	}
	return value(l.TLS.Mode, gatewayv1.TLSModeTerminate)
}

// allowedKinds are the kinds of routes that a listener asks for, as far as they are
// supported.
func allowedKinds(l gatewayv1.Listener) ([]gatewayv1.RouteGroupKind, metav1.Condition) {
	group := gatewayv1.Group(gatewayv1.GroupName)
	kinds := []gatewayv1.RouteGroupKind{}
	if l.AllowedRoutes == nil || len(l.AllowedRoutes.Kinds) == 0 {
		for _, kind := range routeKinds[l.Protocol] {
			kinds = append(kinds, gatewayv1.RouteGroupKind{Group: &group, Kind: gatewayv1.Kind(kind)})
		}
		return kinds, listenerResolvedRefs()
	}
	var unknown []string
	for _, asked := range l.AllowedRoutes.Kinds {
		if value(asked.Group, group) == group && slices.Contains(routeKinds[l.Protocol], string(asked.Kind)) {
			kinds = append(kinds, gatewayv1.RouteGroupKind{Group: &group, Kind: asked.Kind})
		} else {
			unknown = append(unknown, string(asked.Kind))
		}
	}
	if len(unknown) > 0 {
		return kinds, listenerUnresolvedRefs(gatewayv1.ListenerReasonInvalidRouteKinds,
			fmt.Sprintf("a listener for %s takes no routes of the kind %s", l.Protocol, strings.Join(unknown, ", ")))
	}
	return kinds, listenerResolvedRefs()
}

// conflict finds out which listeners are for the same requests. Neither of two such
// listeners is served: nobody could tell whose the requests are.
func conflict(all []assessment) {
	for i := range all {
		for j := range all {
			a, b := &all[i], all[j].spec
			if i == j || a.spec.Port != b.Port || schemes[a.spec.Protocol] == "" || schemes[b.Protocol] == "" {
				continue
			}
			reason := gatewayv1.ListenerReasonHostnameConflict
			if clash(a.spec.Protocol, b.Protocol) {
				reason = gatewayv1.ListenerReasonProtocolConflict
			} else if a.spec.Protocol != b.Protocol || hostOf(a.spec.Hostname) != hostOf(b.Hostname) {
				continue
			}
			a.conflicted = listenerConflict(reason, b.Name)
			if isTrue(a.accepted) {
				a.accepted = listenerNotAccepted(reason)
			}
		}
	}
}

func hostOf(hostname *gatewayv1.Hostname) route.Host {
	return route.Host(strings.ToLower(string(value(hostname, ""))))
}

// listener is what routes are told.
func (a assessment) listener() listener {
	l := listener{
		Name: string(a.spec.Name), Host: hostOf(a.spec.Hostname), Port: a.spec.Port, KongPort: a.kongPort,
		Scheme: schemeOf(a.spec), From: gatewayv1.NamespacesFromSame, Serves: isTrue(a.programmed),
	}
	for _, kind := range a.kinds {
		l.Kinds = append(l.Kinds, string(kind.Kind))
	}
	if allowed := a.spec.AllowedRoutes; allowed != nil && allowed.Namespaces != nil {
		l.From = value(allowed.Namespaces.From, gatewayv1.NamespacesFromSame)
		l.Selector = allowed.Namespaces.Selector
	}
	return l
}

func (a assessment) status(generation int64) gatewayv1.ListenerStatus {
	return gatewayv1.ListenerStatus{
		Name: a.spec.Name, SupportedKinds: a.kinds,
		Conditions: observed(generation, a.accepted, a.programmed, a.resolved, a.conflicted),
	}
}
