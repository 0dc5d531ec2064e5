package gateway

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Listener is a listener as routes see it.
type Listener struct {
	Name string
	// Contest identifies the listener among those of all objects.
	Contest string
	Host    route.Host
	Port    int32
	// Protocol is the protocol in the Gateway, Scheme the one in Kong.
	Protocol gatewayv1.ProtocolType
	// KongPort is the port of Kong that receives the listener's requests and no others; 0 if they
	// arrive through the Service in front of Kong.
	KongPort int32
	// Scheme is "http" or "https", or for streams "tcp", "tls", "tls_passthrough" or "udp".
	Scheme string
	// Kinds are the kinds of routes that may attach.
	Kinds []string
	// Routes are the namespaces whose routes may attach.
	Routes Namespaces
	// Serves is whether the listener takes requests.
	Serves bool
	// ClientCertificate is the Secret with the Gateway's key pair for backends over TLS; empty for none.
	ClientCertificate types.NamespacedName
	// Validated is whether clients need a valid certificate.
	Validated bool
}

// schemes are Kong's names of the supported protocols.
var schemes = map[gatewayv1.ProtocolType]string{
	gatewayv1.HTTPProtocolType:  "http",
	gatewayv1.HTTPSProtocolType: "https",
	gatewayv1.TLSProtocolType:   "tls",
	gatewayv1.TCPProtocolType:   "tcp",
	gatewayv1.UDPProtocolType:   "udp",
}

// routeKinds are the supported kinds of routes for each protocol.
var routeKinds = map[gatewayv1.ProtocolType][]string{
	gatewayv1.HTTPProtocolType:  {"HTTPRoute", "GRPCRoute"},
	gatewayv1.HTTPSProtocolType: {"HTTPRoute", "GRPCRoute"},
	gatewayv1.TLSProtocolType:   {"TLSRoute"},
	gatewayv1.TCPProtocolType:   {"TCPRoute"},
	gatewayv1.UDPProtocolType:   {"UDPRoute"},
}

// assessment is one listener and its conditions.
type assessment struct {
	of         unit.Key  // the object with the listener
	since      time.Time // when the object was created
	generation int64     // of the object

	spec              gatewayv1.Listener
	path              field.Path // of the listener in the object
	kongPort          int32
	kinds             []gatewayv1.RouteGroupKind
	routes            Namespaces
	certificates      []certificate.Certificate
	moreSpecific      []route.Host
	clientCertificate types.NamespacedName // the Gateway's key pair for backends
	validated         bool                 // clients need a valid certificate

	accepted   condition.Diagnosis
	conflicted condition.Diagnosis
	resolved   condition.Diagnosis
	programmed condition.Diagnosis
}

// assess returns the assessment of a listener of a source, without its port and references.
func assess(s source, i int) assessment {
	l := s.listeners[i]
	a := assessment{of: s.key, path: field.Spec.Child("listeners").Index(i), since: s.object.GetCreationTimestamp().Time, generation: s.object.GetGeneration(), spec: l,
		accepted: listenerAccepted(), conflicted: listenerNoConflicts()}
	a.kinds, a.resolved = allowedKinds(l, a.path)
	a.routes = Namespaces{own: s.key.Namespace, from: gatewayv1.NamespacesFromSame}
	if allowed := l.AllowedRoutes; allowed != nil && allowed.Namespaces != nil {
		a.routes = newNamespaces(s.key.Namespace, ptr.Deref(allowed.Namespaces.From, gatewayv1.NamespacesFromSame), allowed.Namespaces.Selector)
	}
	if schemes[l.Protocol] == "" {
		a.accepted = listenerUnsupportedProtocol(l.Protocol, a.path)
	}
	return a
}

// place sets the port of Kong for an accepted listener, or does not accept it if Kong cannot serve it.
func (a *assessment) place(ports ports) {
	if !condition.IsTrue(a.accepted) {
		return
	}
	var unavailable *condition.Diagnosis
	a.kongPort, unavailable = ports.of(a.spec)
	switch {
	case unavailable != nil:
		a.accepted = unavailable.At(a.path.Child("port"))
	case !hostname.Valid(hostname.Of(a.spec.Hostname)):
		a.accepted = listenerUnsupportedValue(fmt.Sprintf("%q is not a valid host name", *a.spec.Hostname)).At(a.path.Child("hostname"))
	case a.spec.Protocol == gatewayv1.HTTPSProtocolType && mode(a.spec) != gatewayv1.TLSModeTerminate:
		a.accepted = listenerUnsupportedValue("listeners for HTTPS support only the TLS mode Terminate").At(a.path.Child("tls", "mode"))
	}
}

func mode(l gatewayv1.Listener) gatewayv1.TLSModeType {
	if l.TLS == nil {
		return gatewayv1.TLSModeTerminate
	}
	return ptr.Deref(l.TLS.Mode, gatewayv1.TLSModeTerminate)
}

// allowedKinds returns the supported kinds of routes that a listener allows, and its condition
// ResolvedRefs.
func allowedKinds(l gatewayv1.Listener, path field.Path) ([]gatewayv1.RouteGroupKind, condition.Diagnosis) {
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
	for i, allowed := range l.AllowedRoutes.Kinds {
		if ptr.Deref(allowed.Group, group) == group && slices.Contains(routeKinds[l.Protocol], string(allowed.Kind)) {
			kinds = append(kinds, gatewayv1.RouteGroupKind{Group: &group, Kind: allowed.Kind})
		} else {
			if unknown = append(unknown, string(allowed.Kind)); len(unknown) == 1 {
				first = path.Child("allowedRoutes", "kinds").Index(i)
			}
		}
	}
	if len(unknown) > 0 {
		return kinds, listenerUnresolvedRefs(gatewayv1.ListenerReasonInvalidRouteKinds,
			fmt.Sprintf("listeners for %s do not support routes of kind %s", l.Protocol, strings.Join(unknown, ", "))).At(first)
	}
	return kinds, listenerResolvedRefs()
}

// findMoreSpecific sets for each listener the hosts of other listeners that its host covers.
func findMoreSpecific(all []assessment) {
	for i := range all {
		a, host := &all[i], hostname.Of(all[i].spec.Hostname)
		if host != "" && !host.Wildcard() {
			continue
		}
		for _, b := range all {
			other := hostname.Of(b.spec.Hostname)
			if condition.IsTrue(b.programmed) && b.spec.Port == a.spec.Port && b.spec.Protocol == a.spec.Protocol && other != host && hostname.Covers(host, other) {
				a.moreSpecific = append(a.moreSpecific, other)
			}
		}
		slices.Sort(a.moreSpecific)
		a.moreSpecific = slices.Compact(a.moreSpecific)
	}
}

// listener returns the listener as routes see it.
func (a assessment) listener() Listener {
	l := Listener{
		Name: string(a.spec.Name), Contest: fmt.Sprintf("listener %s of %s", a.spec.Name, a.of), Host: hostname.Of(a.spec.Hostname), Port: a.spec.Port, Protocol: a.spec.Protocol, KongPort: a.kongPort,
		Scheme: schemeOf(a.spec), Routes: a.routes, Serves: condition.IsTrue(a.programmed), ClientCertificate: a.clientCertificate, Validated: a.validated,
	}
	for _, kind := range a.kinds {
		l.Kinds = append(l.Kinds, string(kind.Kind))
	}
	return l
}

func (a assessment) status() gatewayv1.ListenerStatus {
	return gatewayv1.ListenerStatus{
		Name: a.spec.Name, SupportedKinds: a.kinds,
		Conditions: condition.Observed(a.generation, a.conditions()...),
	}
}

// conditions returns the listener's conditions, all with a field.
func (a assessment) conditions() []condition.Diagnosis {
	all := []condition.Diagnosis{a.accepted, a.programmed, a.resolved, a.conflicted}
	for i := range all {
		all[i] = all[i].Placed(a.path)
	}
	return all
}

// addListeners adds the adverse conditions of listeners.
func addListeners(all *condition.Verdicts, listeners []assessment) {
	for _, a := range listeners {
		all.Add(a.of, fmt.Sprintf("listener %q: ", a.spec.Name), a.conditions()...)
	}
}

// isHTTP reports whether a protocol is HTTP or HTTPS, whose routes are request routes.
func isHTTP(p gatewayv1.ProtocolType) bool {
	return p == gatewayv1.HTTPProtocolType || p == gatewayv1.HTTPSProtocolType
}

// clash reports whether listeners of two protocols cannot share a port. Kong tells protocols over TCP
// apart by the port alone.
func clash(a, b gatewayv1.ProtocolType) bool {
	return a != b && a != gatewayv1.UDPProtocolType && b != gatewayv1.UDPProtocolType
}

// terminates reports whether a listener terminates TLS.
func terminates(l gatewayv1.Listener) bool {
	switch l.Protocol {
	case gatewayv1.HTTPSProtocolType:
		return true
	case gatewayv1.TLSProtocolType:
		return mode(l) == gatewayv1.TLSModeTerminate
	}
	return false
}

// Passthrough is Kong's name for TLS that the backend terminates.
const Passthrough = "tls_passthrough"

func schemeOf(l gatewayv1.Listener) string {
	if l.Protocol == gatewayv1.TLSProtocolType && mode(l) == gatewayv1.TLSModePassthrough {
		return Passthrough
	}
	return schemes[l.Protocol]
}
