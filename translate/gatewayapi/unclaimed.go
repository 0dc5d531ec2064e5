package gatewayapi

import known "sigs.k8s.io/gateway-api/pkg/features"

// unclaimed are all other features of gateways, and why the GatewayClass does not claim them.
var unclaimed = map[known.FeatureName]string{
	known.SupportGatewayPort8080:                                            "all Gateways share the ports 80 and 443",
	known.SupportGatewayStaticAddresses:                                     "all Gateways share the address of one Service",
	known.SupportGatewayHTTPListenerIsolation:                               "not tested yet",
	known.SupportGatewayInfrastructure:                                      "Gateways have no objects of their own yet",
	known.SupportListenerSet:                                                "ListenerSets are not read yet",
	known.SupportGatewayFrontendClientCertificateValidation:                 "listeners that ask for it are not served",
	known.SupportGatewayFrontendClientCertificateValidationInsecureFallback: "listeners that ask for it are not served",

	known.SupportHTTPRouteDestinationPortMatching: "not tested yet",
	known.SupportHTTPRouteRequestMirror:           "mirrors are not supported yet",
	known.SupportHTTPRouteRequestMultipleMirrors:  "mirrors are not supported yet",
	known.SupportHTTPRouteRequestPercentageMirror: "mirrors are not supported yet",
	known.SupportHTTPRouteRequestTimeout:          "not tested yet",
	known.SupportHTTPRouteParentRefPort:           "not tested yet",
	known.SupportHTTPRouteRetry:                   "not supported yet",
	known.SupportHTTPRouteRetryBackendTimeout:     "not supported yet",
	known.SupportHTTPRouteRetryConnectionError:    "not supported yet",

	known.SupportTLSRoute:              "TLSRoutes are not read yet",
	known.SupportTLSRouteModeTerminate: "TLSRoutes are not read yet",
	known.SupportTLSRouteModeMixed:     "TLSRoutes are not read yet",
	known.SupportTCPRoute:              "TCPRoutes are not read yet",
	known.SupportUDPRoute:              "UDPRoutes are not read yet",
}

// WhyNotClaimed says why a feature is not among Features; "" of one that is, and of those of service meshes.
func WhyNotClaimed(name known.FeatureName) string { return unclaimed[name] }
