package gatewayapi

import (
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// features are what the GatewayClass says that we support, in order.
var features = []gatewayv1.SupportedFeature{
	{Name: "BackendTLSPolicy"},
	{Name: "BackendTLSPolicySANValidation"},
	{Name: "GRPCRoute"},
	{Name: "GRPCRouteNamedRouteRule"},
	{Name: "Gateway"},
	{Name: "GatewayAddressEmpty"},
	{Name: "GatewayBackendClientCertificate"},
	{Name: "GatewayHTTPSListenerDetectMisdirectedRequests"},
	{Name: "HTTPRoute"},
	{Name: "HTTPRoute303RedirectStatusCode"},
	{Name: "HTTPRoute307RedirectStatusCode"},
	{Name: "HTTPRoute308RedirectStatusCode"},
	{Name: "HTTPRouteBackendProtocolH2C"},
	{Name: "HTTPRouteBackendProtocolWebSocket"},
	{Name: "HTTPRouteBackendRequestHeaderModification"},
	{Name: "HTTPRouteBackendTimeout"},
	{Name: "HTTPRouteCORS"},
	{Name: "HTTPRouteHostRewrite"},
	{Name: "HTTPRouteMethodMatching"},
	{Name: "HTTPRouteNamedRouteRule"},
	{Name: "HTTPRoutePathRedirect"},
	{Name: "HTTPRoutePathRewrite"},
	{Name: "HTTPRoutePortRedirect"},
	{Name: "HTTPRouteQueryParamMatching"},
	{Name: "HTTPRouteResponseHeaderModification"},
	{Name: "HTTPRouteSchemeRedirect"},
	{Name: "ReferenceGrant"},
}

// Features are what the GatewayClass claims, in order. The conformance suite tests these.
func Features() []gatewayv1.SupportedFeature { return slices.Clone(features) }
