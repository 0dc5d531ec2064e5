package gateway

import (
	"fmt"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/experimental"
	"github.com/kube-sync/kube-sync/translate/field"
)

func gatewayAccepted() condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionAccepted, true, gatewayv1.GatewayReasonAccepted, "the Gateway is served")
}

func gatewayListenersNotValid(some bool) condition.Diagnosis {
	message := "no listener is valid"
	if some {
		message = "some listeners are not valid"
	}
	return condition.New(gatewayv1.GatewayConditionAccepted, some, gatewayv1.GatewayReasonListenersNotValid, message).Following(field.Spec.Child("listeners"))
}

func gatewayFixedAddresses(at field.Path) condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionAccepted, false, gatewayv1.GatewayReasonUnsupportedAddress,
		"addresses are those of the Service in front of Kong and cannot be chosen").At(at)
}

func gatewayUnsupportedAddress(at field.Path) condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionAccepted, false, gatewayv1.GatewayReasonUnsupportedAddress,
		"addresses of the type IPAddress are supported").At(at)
}

func gatewayInvalidParameters() condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionAccepted, false, gatewayv1.GatewayReasonInvalidParameters,
		"infrastructure.parametersRef is not supported").At(field.Spec.Child("infrastructure", "parametersRef"))
}

func gatewayProgrammed() condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionProgrammed, true, gatewayv1.GatewayReasonProgrammed, "Kong serves the Gateway")
}

func gatewayNotProgrammed(message string) condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonInvalid, message).Following(field.Spec.Child("listeners"))
}

func gatewayResolvedRefs() condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionResolvedRefs, true, gatewayv1.GatewayReasonResolvedRefs, "all references are resolved")
}

func gatewayUnresolvedRefs(reason gatewayv1.GatewayConditionReason, message string) condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionResolvedRefs, false, reason, message)
}

func gatewayInsecure(at field.Path) condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionInsecureFrontendValidationMode, true, gatewayv1.GatewayReasonConfigurationChanged,
		"some clients are let by without a certificate, or with one that is not good").At(at)
}

func gatewayWithoutAddress() condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonAddressNotAssigned,
		"the Service in front of Kong has no address yet")
}

func gatewayWithoutOwnAddress(service string) condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonAddressNotAssigned,
		fmt.Sprintf("Service %s has no address yet", service))
}

func gatewayServiceTaken(service string) condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonNoResources,
		fmt.Sprintf("the Gateway's Service would be %s, which is another's", service)).At(field.NewPath("metadata", "name"))
}

func gatewayServiceDenied(why string) condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonNoResources,
		"the Gateway's Service may not be written: "+why)
}

func gatewayAddressNotUsable(service, address string) condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonAddressNotUsable,
		fmt.Sprintf("Service %s does not have the address %s", service, address))
}

func listenerAccepted() condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionAccepted, true, gatewayv1.ListenerReasonAccepted, "the listener is valid")
}

func listenerUnsupportedProtocol(protocol gatewayv1.ProtocolType, listener field.Path) condition.Diagnosis {
	at, message := listener.Child("protocol"), fmt.Sprintf("protocol %s is not supported; HTTP, HTTPS, TLS, TCP and UDP are", protocol)
	switch protocol {
	case experimental.DifferentFrontendValidation:
		at, message = listener.Child("tls"),
			"tls.frontendValidation differs from that of another listener of the port; all listeners of a port need the same"
	case experimental.FrontendValidationInListenerSet:
		at, message = listener.Child("tls"),
			"tls.frontendValidation is not supported in an XListenerSet; set it in the listeners of the Gateway"
	}
	return condition.New(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonUnsupportedProtocol, message).At(at)
}

func listenerPortUnavailable(protocol gatewayv1.ProtocolType, port int32, open []int32) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonPortUnavailable,
		fmt.Sprintf("Kong does not listen for %s at port %d; it does at %v", protocol, port, open))
}

func listenerWithoutPort(protocol gatewayv1.ProtocolType, pool int) condition.Diagnosis {
	message := fmt.Sprintf("Kong listens for %s at no port of a Gateway's own", protocol)
	if pool > 0 {
		message = fmt.Sprintf("all %d ports at which Kong listens for %s of Gateways are assigned to others", pool, protocol)
	}
	return condition.New(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonPortUnavailable, message)
}

func listenerUnsupportedValue(message string) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonUnsupportedValue, message)
}

func listenerNoValidCA(message string) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonNoValidCACertificate, message)
}

func listenerNotAccepted(reason gatewayv1.ListenerConditionReason) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionAccepted, false, reason, "the listener is in conflict with another")
}

func listenerConflict(reason gatewayv1.ListenerConditionReason, with string) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionConflicted, true, reason, "the listener is in conflict with "+with)
}

func listenerNoConflicts() condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionConflicted, false, gatewayv1.ListenerReasonNoConflicts,
		"there is no other listener for the same requests")
}

func listenerResolvedRefs() condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionResolvedRefs, true, gatewayv1.ListenerReasonResolvedRefs,
		"all references are resolved")
}

func listenerUnresolvedRefs(reason gatewayv1.ListenerConditionReason, message string) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionResolvedRefs, false, reason, message)
}

func listenerProgrammed() condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionProgrammed, true, gatewayv1.ListenerReasonProgrammed, "Kong serves the listener")
}

func listenerNotProgrammed(message string) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionProgrammed, false, gatewayv1.ListenerReasonInvalid, message).Following("")
}

func listenerConflictNotProgrammed(reason string) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionProgrammed, false, reason, "the listener is in conflict with another").Following("")
}

func listenerSetAccepted() condition.Diagnosis {
	return condition.New(gatewayv1.ListenerSetConditionAccepted, true, gatewayv1.ListenerSetReasonAccepted, "the ListenerSet is served")
}

func listenerSetListenersNotValid(some bool) condition.Diagnosis {
	message := "no listener is valid"
	if some {
		message = "some listeners are not valid"
	}
	return condition.New(gatewayv1.ListenerSetConditionAccepted, some, gatewayv1.ListenerSetReasonListenersNotValid, message).Following(field.Spec.Child("listeners"))
}

func listenerSetNotAccepted(reason gatewayv1.ListenerSetConditionReason, message string) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerSetConditionAccepted, false, reason, message)
}

func listenerSetProgrammed() condition.Diagnosis {
	return condition.New(gatewayv1.ListenerSetConditionProgrammed, true, gatewayv1.ListenerSetReasonProgrammed, "Kong serves the ListenerSet")
}

// reasonParentNotProgrammed is in the specification, though not among its constants.
const reasonParentNotProgrammed = gatewayv1.ListenerSetConditionReason("ParentNotProgrammed")

func listenerSetNotProgrammed(reason gatewayv1.ListenerSetConditionReason, message string) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerSetConditionProgrammed, false, reason, message)
}
