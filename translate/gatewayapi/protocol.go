package gatewayapi

import (
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// isHTTP tells the protocols of requests from those of streams.
func isHTTP(p gatewayv1.ProtocolType) bool {
	return p == gatewayv1.HTTPProtocolType || p == gatewayv1.HTTPSProtocolType
}

// clash tells whether listeners of two protocols cannot have a port in common. Kong knows
// the port's requests from its streams by the port alone, but datagrams are apart from all
// connections.
func clash(a, b gatewayv1.ProtocolType) bool {
	return a != b && a != gatewayv1.UDPProtocolType && b != gatewayv1.UDPProtocolType
}

// terminates tells whether a listener is the end of TLS.
func terminates(l gatewayv1.Listener) bool {
	switch l.Protocol {
	case gatewayv1.HTTPSProtocolType:
		return true
	case gatewayv1.TLSProtocolType:
		return mode(l) == gatewayv1.TLSModeTerminate
	}
	return false
}

// passthrough is Kong's word for TLS that ends behind it.
const passthrough = "tls_passthrough"

func schemeOf(l gatewayv1.Listener) string {
	if l.Protocol == gatewayv1.TLSProtocolType && mode(l) == gatewayv1.TLSModePassthrough {
		return passthrough
	}
	return schemes[l.Protocol]
}

// together tells whether one route of Kong can be for listeners of both schemes.
func together(schemes []string, other string) bool {
	return slices.Contains(schemes, other) || other == "http" || other == "https"
}

// some is a kind as messages have it.
func some(kind string) string {
	if kind == "HTTPRoute" {
		return "an " + kind
	}
	return "a " + kind
}
