package gatewayapi

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// listener is what routes need to know of one.
type listener struct {
	Name string
	// Contest names the listener among those of all objects.
	Contest string
	Host    route.Host
	Port    int32
	// Protocol is the Gateway's word for what Scheme is.
	Protocol gatewayv1.ProtocolType
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
	// Shown is the Secret with the Gateway's key pair for backends over TLS; empty for none.
	Shown types.NamespacedName
	// Validated lets only clients by that have a good certificate.
	Validated bool
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
	of         unit.Key  // the object that has it
	since      time.Time // the object's age
	generation int64     // and its generation

	spec         gatewayv1.Listener
	path         field.Path // of the listener in the object
	kongPort     int32
	kinds        []gatewayv1.RouteGroupKind
	certificates []certificate.Certificate
	narrower     []route.Host
	shown        types.NamespacedName // the Gateway's key pair for backends
	validated    bool                 // clients are let by only with a good certificate

	accepted   diagnosis
	conflicted diagnosis
	resolved   diagnosis
	programmed diagnosis
}

// assess judges a listener of a source by itself, but for its port and what it refers to.
func assess(s source, i int) assessment {
	l := s.listeners[i]
	a := assessment{of: s.key, path: spec.Child("listeners").Index(i), since: s.object.GetCreationTimestamp().Time, generation: s.object.GetGeneration(), spec: l,
		accepted: listenerAccepted(), conflicted: listenerNoConflicts()}
	a.kinds, a.resolved = allowedKinds(l, a.path)
	if schemes[l.Protocol] == "" {
		a.accepted = listenerUnsupportedProtocol(l.Protocol, a.path)
	}
	return a
}

// place gives an accepted listener its port of Kong, and finds out whether Kong can serve
// it there.
func (a *assessment) place(ports ports) {
	if !isTrue(a.accepted) {
		return
	}
	var unavailable *diagnosis
	a.kongPort, unavailable = ports.of(a.spec)
	switch {
	case unavailable != nil:
		a.accepted = unavailable.at(a.path.Child("port"))
	case !isHost(hostOf(a.spec.Hostname)):
		a.accepted = listenerUnsupportedValue(fmt.Sprintf("%q is not a host name", *a.spec.Hostname)).at(a.path.Child("hostname"))
	case a.spec.Protocol == gatewayv1.HTTPSProtocolType && mode(a.spec) != gatewayv1.TLSModeTerminate:
		a.accepted = listenerUnsupportedValue("a listener for HTTPS terminates TLS").at(a.path.Child("tls", "mode"))
	}
}

func mode(l gatewayv1.Listener) gatewayv1.TLSModeType {
	if l.TLS == nil {
		return gatewayv1.TLSModeTerminate
	}
	return value(l.TLS.Mode, gatewayv1.TLSModeTerminate)
}

// allowedKinds are the kinds of routes that a listener asks for, as far as they are
// supported.
func allowedKinds(l gatewayv1.Listener, path field.Path) ([]gatewayv1.RouteGroupKind, diagnosis) {
	group := gatewayv1.Group(gatewayv1.GroupName)
	kinds := []gatewayv1.RouteGroupKind{}
	if l.AllowedRoutes == nil || len(l.AllowedRoutes.Kinds) == 0 {
		for _, kind := range routeKinds[l.Protocol] {
			kinds = append(kinds, gatewayv1.RouteGroupKind{Group: &group, Kind: gatewayv1.Kind(kind)})
		}
		return kinds, listenerResolvedRefs()
	}
	var unknown []string
	var first field.Path
	for i, asked := range l.AllowedRoutes.Kinds {
		if value(asked.Group, group) == group && slices.Contains(routeKinds[l.Protocol], string(asked.Kind)) {
			kinds = append(kinds, gatewayv1.RouteGroupKind{Group: &group, Kind: asked.Kind})
		} else {
			if unknown = append(unknown, string(asked.Kind)); len(unknown) == 1 {
				first = path.Child("allowedRoutes", "kinds").Index(i)
			}
		}
	}
	if len(unknown) > 0 {
		return kinds, listenerUnresolvedRefs(gatewayv1.ListenerReasonInvalidRouteKinds,
			fmt.Sprintf("a listener for %s takes no routes of the kind %s", l.Protocol, strings.Join(unknown, ", "))).at(first)
	}
	return kinds, listenerResolvedRefs()
}

func hostOf(hostname *gatewayv1.Hostname) route.Host {
	return route.Host(strings.ToLower(string(value(hostname, ""))))
}

// narrow finds for each listener which others are within it.
func narrow(all []assessment) {
	for i := range all {
		a, host := &all[i], hostOf(all[i].spec.Hostname)
		if host != "" && !host.Wildcard() {
			continue
		}
		for _, b := range all {
			other := hostOf(b.spec.Hostname)
			if isTrue(b.programmed) && b.spec.Port == a.spec.Port && b.spec.Protocol == a.spec.Protocol && other != host && covers(host, other) {
				a.narrower = append(a.narrower, other)
			}
		}
		slices.Sort(a.narrower)
		a.narrower = slices.Compact(a.narrower)
	}
}

// listener is what routes are told.
func (a assessment) listener() listener {
	l := listener{
		Name: string(a.spec.Name), Contest: fmt.Sprintf("listener %s of %s", a.spec.Name, a.of), Host: hostOf(a.spec.Hostname), Port: a.spec.Port, Protocol: a.spec.Protocol, KongPort: a.kongPort,
		Scheme: schemeOf(a.spec), From: gatewayv1.NamespacesFromSame, Serves: isTrue(a.programmed), Shown: a.shown, Validated: a.validated,
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

func (a assessment) status() gatewayv1.ListenerStatus {
	return gatewayv1.ListenerStatus{
		Name: a.spec.Name, SupportedKinds: a.kinds,
		Conditions: observed(a.generation, a.conditions()...),
	}
}

// conditions are those of the listener in its object's status.
func (a assessment) conditions() []diagnosis {
	all := []diagnosis{a.accepted, a.programmed, a.resolved, a.conflicted}
	for i := range all {
		all[i] = all[i].placed(a.path)
	}
	return all
}

// addListeners adds the conditions of listeners that are not as they should be.
func (all *diagnostics) addListeners(listeners []assessment) {
	for _, a := range listeners {
		all.add(a.of, fmt.Sprintf("listener %q: ", a.spec.Name), a.conditions()...)
	}
}
