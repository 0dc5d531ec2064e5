package gatewayapi

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"

	"github.com/kube-sync/kube-sync/translate/unit"
)

func condition[T, R ~string](kind T, ok bool, reason R, message string) metav1.Condition {
	status := metav1.ConditionFalse
	if ok {
		status = metav1.ConditionTrue
	}
	return metav1.Condition{Type: string(kind), Status: status, Reason: string(reason), Message: unit.OneLine(message)}
}

// observed gives conditions the generation that they are about.
func observed(generation int64, conditions ...metav1.Condition) []metav1.Condition {
	for i := range conditions {
		conditions[i].ObservedGeneration = generation
	}
	return conditions
}

func isTrue(c metav1.Condition) bool { return c.Status == metav1.ConditionTrue }

func classAccepted() metav1.Condition {
	return condition(gatewayv1.GatewayClassConditionStatusAccepted, true, gatewayv1.GatewayClassReasonAccepted,
		"Gateways of this class are served")
}

func classInvalidParameters() metav1.Condition {
	return condition(gatewayv1.GatewayClassConditionStatusAccepted, false, gatewayv1.GatewayClassReasonInvalidParameters,
		"parametersRef is not supported")
}

func classSupportedVersion(supported bool, installed string) metav1.Condition {
	if supported {
		return condition(gatewayv1.GatewayClassConditionStatusSupportedVersion, true, gatewayv1.GatewayClassReasonSupportedVersion,
			fmt.Sprintf("Gateway API %s is installed", installed))
	}
	return condition(gatewayv1.GatewayClassConditionStatusSupportedVersion, false, gatewayv1.GatewayClassReasonUnsupportedVersion,
		fmt.Sprintf("Gateway API %s is installed, and served as far as it is like %s", installed, consts.BundleVersion))
}

func gatewayAccepted() metav1.Condition {
	return condition(gatewayv1.GatewayConditionAccepted, true, gatewayv1.GatewayReasonAccepted, "the Gateway is served")
}

func gatewayListenersNotValid(some bool) metav1.Condition {
	message := "no listener is valid"
	if some {
		message = "some listeners are not valid"
	}
	return condition(gatewayv1.GatewayConditionAccepted, some, gatewayv1.GatewayReasonListenersNotValid, message)
}

func gatewayFixedAddresses() metav1.Condition {
	return condition(gatewayv1.GatewayConditionAccepted, false, gatewayv1.GatewayReasonUnsupportedAddress,
		"addresses are those of the Service in front of Kong and cannot be chosen")
}

func gatewayUnsupportedAddress() metav1.Condition {
	return condition(gatewayv1.GatewayConditionAccepted, false, gatewayv1.GatewayReasonUnsupportedAddress,
		"addresses of the type IPAddress are supported")
}

func gatewayInvalidParameters() metav1.Condition {
	return condition(gatewayv1.GatewayConditionAccepted, false, gatewayv1.GatewayReasonInvalidParameters,
		"infrastructure.parametersRef is not supported")
}

func gatewayProgrammed() metav1.Condition {
	return condition(gatewayv1.GatewayConditionProgrammed, true, gatewayv1.GatewayReasonProgrammed, "Kong serves the Gateway")
}

func gatewayNotProgrammed(message string) metav1.Condition {
	return condition(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonInvalid, message)
}

func gatewayResolvedRefs() metav1.Condition {
	return condition(gatewayv1.GatewayConditionResolvedRefs, true, gatewayv1.GatewayReasonResolvedRefs, "all references are resolved")
}

func gatewayUnresolvedRefs(reason gatewayv1.GatewayConditionReason, message string) metav1.Condition {
	return condition(gatewayv1.GatewayConditionResolvedRefs, false, reason, message)
}

func gatewayInsecure() metav1.Condition {
	return condition(gatewayv1.GatewayConditionInsecureFrontendValidationMode, true, gatewayv1.GatewayReasonConfigurationChanged,
		"some clients are let by without a certificate, or with one that is not good")
}

func gatewayWithoutAddress() metav1.Condition {
	return condition(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonAddressNotAssigned,
		"the Service in front of Kong has no address yet")
}

func gatewayWithoutOwnAddress(service string) metav1.Condition {
	return condition(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonAddressNotAssigned,
		fmt.Sprintf("Service %s has no address yet", service))
}

func gatewayServiceTaken(service string) metav1.Condition {
	return condition(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonNoResources,
		fmt.Sprintf("the Gateway's Service would be %s, which is another's", service))
}

func gatewayServiceDenied(why string) metav1.Condition {
	return condition(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonNoResources,
		"the Gateway's Service may not be written: "+why)
}

func gatewayAddressNotUsable(service, address string) metav1.Condition {
	return condition(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonAddressNotUsable,
		fmt.Sprintf("Service %s does not have the address %s", service, address))
}

func listenerAccepted() metav1.Condition {
	return condition(gatewayv1.ListenerConditionAccepted, true, gatewayv1.ListenerReasonAccepted, "the listener is valid")
}

func listenerUnsupportedProtocol(protocol gatewayv1.ProtocolType) metav1.Condition {
	return condition(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonUnsupportedProtocol,
		fmt.Sprintf("protocol %s is not supported; HTTP, HTTPS, TLS, TCP and UDP are", protocol))
}

func listenerPortUnavailable(protocol gatewayv1.ProtocolType, port int32, open []int32) metav1.Condition {
	return condition(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonPortUnavailable,
		fmt.Sprintf("Kong does not listen for %s at port %d; it does at %v", protocol, port, open))
}

func listenerWithoutPort(protocol gatewayv1.ProtocolType, pool int) metav1.Condition {
	message := fmt.Sprintf("Kong listens for %s at no port of a Gateway's own", protocol)
	if pool > 0 {
		message = fmt.Sprintf("all %d ports at which Kong listens for %s of Gateways are assigned to others", pool, protocol)
	}
	return condition(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonPortUnavailable, message)
}

func listenerUnsupportedValue(message string) metav1.Condition {
	return condition(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonUnsupportedValue, message)
}

func listenerNoValidCA(message string) metav1.Condition {
	return condition(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonNoValidCACertificate, message)
}

func listenerNotAccepted(reason gatewayv1.ListenerConditionReason) metav1.Condition {
	return condition(gatewayv1.ListenerConditionAccepted, false, reason, "the listener is in conflict with another")
}

func listenerConflict(reason gatewayv1.ListenerConditionReason, with string) metav1.Condition {
	return condition(gatewayv1.ListenerConditionConflicted, true, reason, "the listener is in conflict with "+with)
}

func listenerNoConflicts() metav1.Condition {
	return condition(gatewayv1.ListenerConditionConflicted, false, gatewayv1.ListenerReasonNoConflicts,
		"there is no other listener for the same requests")
}

func listenerResolvedRefs() metav1.Condition {
	return condition(gatewayv1.ListenerConditionResolvedRefs, true, gatewayv1.ListenerReasonResolvedRefs,
		"all references are resolved")
}

func listenerUnresolvedRefs(reason gatewayv1.ListenerConditionReason, message string) metav1.Condition {
	return condition(gatewayv1.ListenerConditionResolvedRefs, false, reason, message)
}

func listenerProgrammed() metav1.Condition {
	return condition(gatewayv1.ListenerConditionProgrammed, true, gatewayv1.ListenerReasonProgrammed, "Kong serves the listener")
}

func listenerNotProgrammed(message string) metav1.Condition {
	return condition(gatewayv1.ListenerConditionProgrammed, false, gatewayv1.ListenerReasonInvalid, message)
}

func listenerConflictNotProgrammed(reason string) metav1.Condition {
	return condition(gatewayv1.ListenerConditionProgrammed, false, reason, "the listener is in conflict with another")
}

func listenerSetAccepted() metav1.Condition {
	return condition(gatewayv1.ListenerSetConditionAccepted, true, gatewayv1.ListenerSetReasonAccepted, "the ListenerSet is served")
}

func listenerSetListenersNotValid(some bool) metav1.Condition {
	message := "no listener is valid"
	if some {
		message = "some listeners are not valid"
	}
	return condition(gatewayv1.ListenerSetConditionAccepted, some, gatewayv1.ListenerSetReasonListenersNotValid, message)
}

func listenerSetNotAccepted(reason gatewayv1.ListenerSetConditionReason, message string) metav1.Condition {
	return condition(gatewayv1.ListenerSetConditionAccepted, false, reason, message)
}

func listenerSetProgrammed() metav1.Condition {
	return condition(gatewayv1.ListenerSetConditionProgrammed, true, gatewayv1.ListenerSetReasonProgrammed, "Kong serves the ListenerSet")
}

// reasonParentNotProgrammed is in the specification, though not among its constants.
const reasonParentNotProgrammed = gatewayv1.ListenerSetConditionReason("ParentNotProgrammed")

func listenerSetNotProgrammed(reason gatewayv1.ListenerSetConditionReason, message string) metav1.Condition {
	return condition(gatewayv1.ListenerSetConditionProgrammed, false, reason, message)
}

func routeAccepted() metav1.Condition {
	return condition(gatewayv1.RouteConditionAccepted, true, gatewayv1.RouteReasonAccepted, "the route is attached")
}

func routeNotAccepted(reason gatewayv1.RouteConditionReason, message string) metav1.Condition {
	return condition(gatewayv1.RouteConditionAccepted, false, reason, message)
}

func routeResolvedRefs() metav1.Condition {
	return condition(gatewayv1.RouteConditionResolvedRefs, true, gatewayv1.RouteReasonResolvedRefs, "all references are resolved")
}

func routeUnresolvedRefs(reason gatewayv1.RouteConditionReason, message string) metav1.Condition {
	return condition(gatewayv1.RouteConditionResolvedRefs, false, reason, message)
}

func routePartiallyInvalid(message string) metav1.Condition {
	return condition(gatewayv1.RouteConditionPartiallyInvalid, true, gatewayv1.RouteReasonUnsupportedValue, message)
}

// routeProgrammed is what the Kong Ingress Controller adds to the specification.
func routeProgrammed() metav1.Condition {
	return condition("Programmed", true, "ConfiguredInGateway", "Kong serves the route")
}

func routeNotProgrammed(message string) metav1.Condition {
	return condition("Programmed", false, "KongConfigurationApplyFailed", message)
}
