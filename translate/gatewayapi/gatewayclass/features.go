package gatewayclass

import (
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	known "sigs.k8s.io/gateway-api/pkg/features"
)

// features are all the supported features, sorted by name.
var features = []gatewayv1.SupportedFeature{
	{Name: "BackendTLSPolicy"},
	{Name: "BackendTLSPolicySANValidation"},
	{Name: "GRPCRoute"},
	{Name: "GRPCRouteNamedRouteRule"},
	{Name: "Gateway"},
	{Name: "GatewayAddressEmpty"},
	{Name: "GatewayBackendClientCertificate"},
	{Name: "GatewayFrontendClientCertificateValidation"},
	{Name: "GatewayFrontendClientCertificateValidationInsecureFallback"},
	{Name: "GatewayHTTPListenerIsolation"},
	{Name: "GatewayHTTPSListenerDetectMisdirectedRequests"},
	{Name: "GatewayInfrastructure"},
	{Name: "GatewayPort8080"},
	{Name: "GatewayStaticAddresses"},
	{Name: "HTTPRoute"},
	{Name: "HTTPRoute303RedirectStatusCode"},
	{Name: "HTTPRoute307RedirectStatusCode"},
	{Name: "HTTPRoute308RedirectStatusCode"},
	{Name: "HTTPRouteBackendProtocolH2C"},
	{Name: "HTTPRouteBackendProtocolWebSocket"},
	{Name: "HTTPRouteBackendRequestHeaderModification"},
	{Name: "HTTPRouteBackendTimeout"},
	{Name: "HTTPRouteCORS"},
	{Name: "HTTPRouteDestinationPortMatching"},
	{Name: "HTTPRouteHostRewrite"},
	{Name: "HTTPRouteMethodMatching"},
	{Name: "HTTPRouteNamedRouteRule"},
	{Name: "HTTPRouteParentRefPort"},
	{Name: "HTTPRoutePathRedirect"},
	{Name: "HTTPRoutePathRewrite"},
	{Name: "HTTPRoutePortRedirect"},
	{Name: "HTTPRouteQueryParamMatching"},
	{Name: "HTTPRouteRequestMirror"},
	{Name: "HTTPRouteRequestMultipleMirrors"},
	{Name: "HTTPRouteRequestPercentageMirror"},
	{Name: "HTTPRouteRequestTimeout"},
	{Name: "HTTPRouteResponseHeaderModification"},
	{Name: "HTTPRouteRetry"},
	{Name: "HTTPRouteRetryBackendTimeout"},
	{Name: "HTTPRouteRetryConnectionError"},
	{Name: "HTTPRouteSchemeRedirect"},
	{Name: "ListenerSet"},
	{Name: "ReferenceGrant"},
	{Name: "TCPRoute"},
	{Name: "TLSRoute"},
	{Name: "TLSRouteModeMixed"},
	{Name: "TLSRouteModeTerminate"},
	{Name: "UDPRoute"},
}

// Features returns the features that a GatewayClass reports if Kong has ports for every protocol,
// sorted by name. The conformance suite tests these.
func Features() []gatewayv1.SupportedFeature { return slices.Clone(features) }

// streamFeatures are the features that need ports of a protocol, with that protocol.
var streamFeatures = map[known.FeatureName]gatewayv1.ProtocolType{
	known.SupportTCPRoute:              gatewayv1.TCPProtocolType,
	known.SupportTLSRoute:              gatewayv1.TLSProtocolType,
	known.SupportTLSRouteModeMixed:     gatewayv1.TLSProtocolType,
	known.SupportTLSRouteModeTerminate: gatewayv1.TLSProtocolType,
	known.SupportUDPRoute:              gatewayv1.UDPProtocolType,
}

// serviceFeatures need Gateways with a Service of their own.
var serviceFeatures = []known.FeatureName{
	known.SupportGatewayFrontendClientCertificateValidation,
	known.SupportGatewayFrontendClientCertificateValidationInsecureFallback,
	known.SupportGatewayInfrastructure,
	known.SupportGatewayPort8080,
	known.SupportGatewayStaticAddresses,
}

// relayFeatures need the relay.
var relayFeatures = []known.FeatureName{
	known.SupportBackendTLSPolicy,
	known.SupportBackendTLSPolicySANValidation,
	known.SupportGatewayBackendClientCertificate,
	known.SupportHTTPRouteRequestMirror,
	known.SupportHTTPRouteRequestMultipleMirrors,
	known.SupportHTTPRouteRequestPercentageMirror,
	known.SupportHTTPRouteRetry,
	known.SupportHTTPRouteRetryBackendTimeout,
	known.SupportHTTPRouteRetryConnectionError,
}

// featuresOf returns the features that a class reports with these options.
func (o Options) featuresOf(class Class) []gatewayv1.SupportedFeature {
	return slices.DeleteFunc(Features(), func(f gatewayv1.SupportedFeature) bool {
		name := known.FeatureName(f.Name)
		protocol, isStream := streamFeatures[name]
		ports := o.Ports
		if class.Pooled {
			ports = o.Pool
		}
		return isStream && len(ports[protocol]) == 0 ||
			!class.Pooled && slices.Contains(serviceFeatures, name) ||
			!o.Relay && slices.Contains(relayFeatures, name)
	})
}
