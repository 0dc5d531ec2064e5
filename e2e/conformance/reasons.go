package conformance

import "sigs.k8s.io/gateway-api/pkg/features"

// reasons are why features are not claimed.
var reasons = map[features.FeatureName]string{
	features.SupportBackendTLSPolicy:              "BackendTLSPolicies are not read yet",
	features.SupportBackendTLSPolicySANValidation: "BackendTLSPolicies are not read yet",

	features.SupportGatewayPort8080:                                            "all Gateways share the ports 80 and 443",
	features.SupportGatewayStaticAddresses:                                     "all Gateways share the address of one Service",
	features.SupportGatewayHTTPListenerIsolation:                               "not tested yet",
	features.SupportGatewayHTTPSListenerDetectMisdirectedRequests:              "requests for another listener's host are answered by that",
	features.SupportGatewayInfrastructure:                                      "Gateways have no objects of their own yet",
	features.SupportListenerSet:                                                "ListenerSets are not read yet",
	features.SupportGatewayBackendClientCertificate:                            "spec.tls.backend is not read yet",
	features.SupportGatewayFrontendClientCertificateValidation:                 "listeners that ask for it are not served",
	features.SupportGatewayFrontendClientCertificateValidationInsecureFallback: "listeners that ask for it are not served",

	features.SupportGRPCRoute:               "GRPCRoutes are not read yet",
	features.SupportGRPCRouteNamedRouteRule: "GRPCRoutes are not read yet",

	features.SupportHTTPRouteDestinationPortMatching:          "not tested yet",
	features.SupportHTTPRouteBackendRequestHeaderModification: "not tested yet",
	features.SupportHTTPRouteRequestMirror:                    "mirrors are not supported yet",
	features.SupportHTTPRouteRequestMultipleMirrors:           "mirrors are not supported yet",
	features.SupportHTTPRouteRequestPercentageMirror:          "mirrors are not supported yet",
	features.SupportHTTPRouteRequestTimeout:                   "not tested yet",
	features.SupportHTTPRouteParentRefPort:                    "not tested yet",
	features.SupportHTTPRouteBackendProtocolH2C:               "not tested yet",
	features.SupportHTTPRouteBackendProtocolWebSocket:         "not tested yet",
	features.SupportHTTPRouteCORS:                             "not supported yet",
	features.SupportHTTPRouteRetry:                            "not supported yet",
	features.SupportHTTPRouteRetryBackendTimeout:              "not supported yet",
	features.SupportHTTPRouteRetryConnectionError:             "not supported yet",

	features.SupportTLSRoute:              "TLSRoutes are not read yet",
	features.SupportTLSRouteModeTerminate: "TLSRoutes are not read yet",
	features.SupportTLSRouteModeMixed:     "TLSRoutes are not read yet",
	features.SupportTCPRoute:              "TCPRoutes are not read yet",
	features.SupportUDPRoute:              "UDPRoutes are not read yet",
}
