package gatewayapi

import (
	"fmt"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"

	"github.com/kube-sync/kube-sync/translate/experimental"
	"github.com/kube-sync/kube-sync/translate/field"
)

func classAccepted() diagnosis {
	return condition(gatewayv1.GatewayClassConditionStatusAccepted, true, gatewayv1.GatewayClassReasonAccepted,
		"Gateways of this class are served")
}

func classInvalidParameters() diagnosis {
	return condition(gatewayv1.GatewayClassConditionStatusAccepted, false, gatewayv1.GatewayClassReasonInvalidParameters,
		"parametersRef is not supported").at(spec.Child("parametersRef"))
}

func classSupportedVersion(supported bool, installed string) diagnosis {
	if supported {
		return condition(gatewayv1.GatewayClassConditionStatusSupportedVersion, true, gatewayv1.GatewayClassReasonSupportedVersion,
			fmt.Sprintf("Gateway API %s is installed", installed))
	}
	return condition(gatewayv1.GatewayClassConditionStatusSupportedVersion, false, gatewayv1.GatewayClassReasonUnsupportedVersion,
		fmt.Sprintf("Gateway API %s is installed, and served as far as it is like %s", installed, consts.BundleVersion))
}

func gatewayAccepted() diagnosis {
	return condition(gatewayv1.GatewayConditionAccepted, true, gatewayv1.GatewayReasonAccepted, "the Gateway is served")
}

func gatewayListenersNotValid(some bool) diagnosis {
	message := "no listener is valid"
	if some {
		message = "some listeners are not valid"
	}
	return condition(gatewayv1.GatewayConditionAccepted, some, gatewayv1.GatewayReasonListenersNotValid, message).following(spec.Child("listeners"))
}

func gatewayFixedAddresses(at field.Path) diagnosis {
	return condition(gatewayv1.GatewayConditionAccepted, false, gatewayv1.GatewayReasonUnsupportedAddress,
		"addresses are those of the Service in front of Kong and cannot be chosen").at(at)
}

func gatewayUnsupportedAddress(at field.Path) diagnosis {
	return condition(gatewayv1.GatewayConditionAccepted, false, gatewayv1.GatewayReasonUnsupportedAddress,
		"addresses of the type IPAddress are supported").at(at)
}

func gatewayInvalidParameters() diagnosis {
	return condition(gatewayv1.GatewayConditionAccepted, false, gatewayv1.GatewayReasonInvalidParameters,
		"infrastructure.parametersRef is not supported").at(spec.Child("infrastructure", "parametersRef"))
}

func gatewayProgrammed() diagnosis {
	return condition(gatewayv1.GatewayConditionProgrammed, true, gatewayv1.GatewayReasonProgrammed, "Kong serves the Gateway")
}

func gatewayNotProgrammed(message string) diagnosis {
	return condition(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonInvalid, message).following(spec.Child("listeners"))
}

func gatewayResolvedRefs() diagnosis {
	return condition(gatewayv1.GatewayConditionResolvedRefs, true, gatewayv1.GatewayReasonResolvedRefs, "all references are resolved")
}

func gatewayUnresolvedRefs(reason gatewayv1.GatewayConditionReason, message string) diagnosis {
	return condition(gatewayv1.GatewayConditionResolvedRefs, false, reason, message)
}

func gatewayInsecure(at field.Path) diagnosis {
	return condition(gatewayv1.GatewayConditionInsecureFrontendValidationMode, true, gatewayv1.GatewayReasonConfigurationChanged,
		"some clients are let by without a certificate, or with one that is not good").at(at)
}

func gatewayWithoutAddress() diagnosis {
	return condition(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonAddressNotAssigned,
		"the Service in front of Kong has no address yet")
}

func gatewayWithoutOwnAddress(service string) diagnosis {
	return condition(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonAddressNotAssigned,
		fmt.Sprintf("Service %s has no address yet", service))
}

func gatewayServiceTaken(service string) diagnosis {
	return condition(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonNoResources,
		fmt.Sprintf("the Gateway's Service would be %s, which is another's", service)).at(field.NewPath("metadata", "name"))
}

func gatewayServiceDenied(why string) diagnosis {
	return condition(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonNoResources,
		"the Gateway's Service may not be written: "+why)
}

func gatewayAddressNotUsable(service, address string) diagnosis {
	return condition(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonAddressNotUsable,
		fmt.Sprintf("Service %s does not have the address %s", service, address))
}

func listenerAccepted() diagnosis {
	return condition(gatewayv1.ListenerConditionAccepted, true, gatewayv1.ListenerReasonAccepted, "the listener is valid")
}

func listenerUnsupportedProtocol(protocol gatewayv1.ProtocolType, listener field.Path) diagnosis {
	at, message := listener.Child("protocol"), fmt.Sprintf("protocol %s is not supported; HTTP, HTTPS, TLS, TCP and UDP are", protocol)
	switch protocol {
	case experimental.DifferentFrontendValidation:
		at, message = listener.Child("tls"),
			"tls.frontendValidation differs from that of another listener of the port; all listeners of a port need the same"
	case experimental.FrontendValidationInListenerSet:
		at, message = listener.Child("tls"),
			"tls.frontendValidation is not supported in an XListenerSet; set it in the listeners of the Gateway"
	}
	return condition(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonUnsupportedProtocol, message).at(at)
}

func listenerPortUnavailable(protocol gatewayv1.ProtocolType, port int32, open []int32) diagnosis {
	return condition(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonPortUnavailable,
		fmt.Sprintf("Kong does not listen for %s at port %d; it does at %v", protocol, port, open))
}

func listenerWithoutPort(protocol gatewayv1.ProtocolType, pool int) diagnosis {
	message := fmt.Sprintf("Kong listens for %s at no port of a Gateway's own", protocol)
	if pool > 0 {
		message = fmt.Sprintf("all %d ports at which Kong listens for %s of Gateways are assigned to others", pool, protocol)
	}
	return condition(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonPortUnavailable, message)
}

func listenerUnsupportedValue(message string) diagnosis {
	return condition(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonUnsupportedValue, message)
}

func listenerNoValidCA(message string) diagnosis {
	return condition(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonNoValidCACertificate, message)
}

func listenerNotAccepted(reason gatewayv1.ListenerConditionReason) diagnosis {
	return condition(gatewayv1.ListenerConditionAccepted, false, reason, "the listener is in conflict with another")
}

func listenerConflict(reason gatewayv1.ListenerConditionReason, with string) diagnosis {
	return condition(gatewayv1.ListenerConditionConflicted, true, reason, "the listener is in conflict with "+with)
}

func listenerNoConflicts() diagnosis {
	return condition(gatewayv1.ListenerConditionConflicted, false, gatewayv1.ListenerReasonNoConflicts,
		"there is no other listener for the same requests")
}

func listenerResolvedRefs() diagnosis {
	return condition(gatewayv1.ListenerConditionResolvedRefs, true, gatewayv1.ListenerReasonResolvedRefs,
		"all references are resolved")
}

func listenerUnresolvedRefs(reason gatewayv1.ListenerConditionReason, message string) diagnosis {
	return condition(gatewayv1.ListenerConditionResolvedRefs, false, reason, message)
}

func listenerProgrammed() diagnosis {
	return condition(gatewayv1.ListenerConditionProgrammed, true, gatewayv1.ListenerReasonProgrammed, "Kong serves the listener")
}

func listenerNotProgrammed(message string) diagnosis {
	return condition(gatewayv1.ListenerConditionProgrammed, false, gatewayv1.ListenerReasonInvalid, message).following("")
}

func listenerConflictNotProgrammed(reason string) diagnosis {
	return condition(gatewayv1.ListenerConditionProgrammed, false, reason, "the listener is in conflict with another").following("")
}

func listenerSetAccepted() diagnosis {
	return condition(gatewayv1.ListenerSetConditionAccepted, true, gatewayv1.ListenerSetReasonAccepted, "the ListenerSet is served")
}

func listenerSetListenersNotValid(some bool) diagnosis {
	message := "no listener is valid"
	if some {
		message = "some listeners are not valid"
	}
	return condition(gatewayv1.ListenerSetConditionAccepted, some, gatewayv1.ListenerSetReasonListenersNotValid, message).following(spec.Child("listeners"))
}

func listenerSetNotAccepted(reason gatewayv1.ListenerSetConditionReason, message string) diagnosis {
	return condition(gatewayv1.ListenerSetConditionAccepted, false, reason, message)
}

func listenerSetProgrammed() diagnosis {
	return condition(gatewayv1.ListenerSetConditionProgrammed, true, gatewayv1.ListenerSetReasonProgrammed, "Kong serves the ListenerSet")
}

// reasonParentNotProgrammed is in the specification, though not among its constants.
const reasonParentNotProgrammed = gatewayv1.ListenerSetConditionReason("ParentNotProgrammed")

func listenerSetNotProgrammed(reason gatewayv1.ListenerSetConditionReason, message string) diagnosis {
	return condition(gatewayv1.ListenerSetConditionProgrammed, false, reason, message)
}

func routeAccepted() diagnosis {
	return condition(gatewayv1.RouteConditionAccepted, true, gatewayv1.RouteReasonAccepted, "the route is attached")
}

func routeNotAccepted(reason gatewayv1.RouteConditionReason, message string) diagnosis {
	return condition(gatewayv1.RouteConditionAccepted, false, reason, message)
}

func routeResolvedRefs() diagnosis {
	return condition(gatewayv1.RouteConditionResolvedRefs, true, gatewayv1.RouteReasonResolvedRefs, "all references are resolved")
}

func routeUnresolvedRefs(reason gatewayv1.RouteConditionReason, message string) diagnosis {
	return condition(gatewayv1.RouteConditionResolvedRefs, false, reason, message)
}

func routePartiallyInvalid(message string) diagnosis {
	return condition(gatewayv1.RouteConditionPartiallyInvalid, true, gatewayv1.RouteReasonUnsupportedValue, message)
}

// routeProgrammed is what the Kong Ingress Controller adds to the specification.
func routeProgrammed() diagnosis {
	return condition("Programmed", true, "ConfiguredInGateway", "Kong serves the route")
}

// routeWithoutListener is for a route whose listeners take no requests.
func routeWithoutListener() diagnosis {
	return condition("Programmed", false, "ListenersNotProgrammed", "no listener that the route is attached to is programmed; the Gateway's conditions say why")
}

func routeNotProgrammed(message string) diagnosis {
	return condition("Programmed", false, "KongConfigurationApplyFailed", message)
}
