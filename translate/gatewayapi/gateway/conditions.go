package gateway

import (
	"fmt"
	"strings"

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
		"addresses cannot be requested: the Gateway has those of the Service in front of Kong").At(at)
}

func gatewayUnsupportedAddress(at field.Path) condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionAccepted, false, gatewayv1.GatewayReasonUnsupportedAddress,
		"only addresses of type IPAddress are supported").At(at)
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
		"AllowInsecureFallback admits clients without a valid certificate").At(at)
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
		fmt.Sprintf("the Gateway needs the Service %s, which exists and does not belong to it", service)).At(field.NewPath("metadata", "name"))
}

func gatewayServiceDenied(why string) condition.Diagnosis {
	return condition.New(gatewayv1.GatewayConditionProgrammed, false, gatewayv1.GatewayReasonNoResources,
		"the Gateway's Service cannot be written: "+why)
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
			"tls.frontendValidation differs from another listener's on the same port; all listeners of a port need the same"
	case experimental.FrontendValidationInListenerSet:
		at, message = listener.Child("tls"),
			"tls.frontendValidation is not supported in an XListenerSet; set it in the listeners of the Gateway"
	}
	return condition.New(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonUnsupportedProtocol, message).At(at)
}

func listenerPortUnavailable(message string) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonPortUnavailable, message)
}

// listenerPortNotInFront is for a port that the Service in front of Kong does not have.
func listenerPortNotInFront(protocol gatewayv1.ProtocolType, port int32, available []int32) condition.Diagnosis {
	if len(available) == 0 {
		return listenerPortUnavailable(fmt.Sprintf("Kong accepts no connections for %s", protocol))
	}
	return listenerPortUnavailable(fmt.Sprintf("Kong does not accept %s at port %d, only at %s", protocol, port, strings.Trim(strings.ReplaceAll(fmt.Sprint(available), " ", ", "), "[]")))
}

// listenerPoolExhausted is for a port when no port of the pool is left.
func listenerPoolExhausted(protocol gatewayv1.ProtocolType, pool int) condition.Diagnosis {
	if pool == 0 {
		return listenerPortUnavailable(fmt.Sprintf("Kong has no ports for %s that it could assign to Gateways", protocol))
	}
	return listenerPortUnavailable(fmt.Sprintf("all %d ports of Kong that Gateways can have for %s are assigned", pool, protocol))
}

// listenerBeyondShare is for a port when the namespace has its share of the pool.
func listenerBeyondShare(protocol gatewayv1.ProtocolType, most int) condition.Diagnosis {
	return listenerPortUnavailable(fmt.Sprintf("the Gateways and ListenerSets of the namespace already have %d ports for %s, and the setting LIMIT_NAMESPACE_GATEWAY_PORTS allows no more", most, protocol))
}

func listenerUnsupportedValue(message string) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonUnsupportedValue, message)
}

func listenerNoValidCA(message string) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionAccepted, false, gatewayv1.ListenerReasonNoValidCACertificate, message)
}

func listenerNotAccepted(reason gatewayv1.ListenerConditionReason) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionAccepted, false, reason, "the listener conflicts with another one")
}

func listenerConflict(reason gatewayv1.ListenerConditionReason, with string) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionConflicted, true, reason, "the listener conflicts with "+with)
}

func listenerNoConflicts() condition.Diagnosis {
	return condition.New(gatewayv1.ListenerConditionConflicted, false, gatewayv1.ListenerReasonNoConflicts,
		"the listener conflicts with no other one")
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
	return condition.New(gatewayv1.ListenerConditionProgrammed, false, reason, "the listener conflicts with another one").Following("")
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

// reasonParentNotProgrammed is in the specification, but not among its constants.
const reasonParentNotProgrammed = gatewayv1.ListenerSetConditionReason("ParentNotProgrammed")

func listenerSetNotProgrammed(reason gatewayv1.ListenerSetConditionReason, message string) condition.Diagnosis {
	return condition.New(gatewayv1.ListenerSetConditionProgrammed, false, reason, message)
}
