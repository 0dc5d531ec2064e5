package routes

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/unit"
)

func routeAccepted() condition.Diagnosis {
	return condition.New(gatewayv1.RouteConditionAccepted, true, gatewayv1.RouteReasonAccepted, "the route is attached")
}

func routeNotAccepted(reason gatewayv1.RouteConditionReason, message string) condition.Diagnosis {
	return condition.New(gatewayv1.RouteConditionAccepted, false, reason, message)
}

func routeResolvedRefs() condition.Diagnosis {
	return condition.New(gatewayv1.RouteConditionResolvedRefs, true, gatewayv1.RouteReasonResolvedRefs, "all references are resolved")
}

func routeUnresolvedRefs(reason gatewayv1.RouteConditionReason, message string) condition.Diagnosis {
	return condition.New(gatewayv1.RouteConditionResolvedRefs, false, reason, message)
}

func routePartiallyInvalid(message string) condition.Diagnosis {
	return condition.New(gatewayv1.RouteConditionPartiallyInvalid, true, gatewayv1.RouteReasonUnsupportedValue, message)
}

// routeProgrammed is a condition that the Kong Ingress Controller writes; Gateway API does not have it.
func routeProgrammed() condition.Diagnosis {
	return condition.New("Programmed", true, "ConfiguredInGateway", "Kong serves the route")
}

// routeWithoutListener is the condition of a route whose listeners are not programmed.
func routeWithoutListener() condition.Diagnosis {
	return condition.New("Programmed", false, "ListenersNotProgrammed", "no listener that the route is attached to is programmed; the Gateway's conditions say why")
}

func routeNotProgrammed(message string) condition.Diagnosis {
	return condition.New("Programmed", false, "KongConfigurationApplyFailed", message)
}

// routeStatus is the part of a route's status that belongs to this controller.
type routeStatus struct {
	condition.Verdicts
	controller string
	parents    []gatewayv1.RouteParentStatus
}

// Counted implements [unit.Status].
func (s *routeStatus) Counted(map[string]int) unit.Status { return s }

// Refused implements [unit.Status].
func (s *routeStatus) Refused(message string) unit.Status {
	refused := *s
	refused.parents = slices.Clone(s.parents)
	for i, p := range refused.parents {
		refused.parents[i].Conditions = condition.Replace(p.Conditions, routeNotProgrammed(message).Condition)
	}
	return &refused
}

// Merge implements [unit.Status].
func (s *routeStatus) Merge(object unit.Object, now unit.Moment) (any, bool) {
	have, ok := parentsOf(object)
	if !ok {
		return nil, false
	}
	want := gatewayv1.RouteStatus{Parents: []gatewayv1.RouteParentStatus{}}
	for _, p := range have {
		if string(p.ControllerName) != s.controller {
			want.Parents = append(want.Parents, p)
		}
	}
	for _, p := range s.parents {
		p.Conditions = condition.Merge(parentConditions(have, p), p.Conditions, now)
		want.Parents = append(want.Parents, p)
	}
	return want, len(have)+len(want.Parents) > 0 && !equality.Semantic.DeepEqual(want.Parents, have)
}

// parentsOf returns the parents in the status of a route; it is false for other objects.
func parentsOf(object unit.Object) ([]gatewayv1.RouteParentStatus, bool) {
	switch route := object.(type) {
	case *gatewayv1.HTTPRoute:
		return route.Status.Parents, true
	case *gatewayv1.GRPCRoute:
		return route.Status.Parents, true
	case *gatewayv1.TLSRoute:
		return route.Status.Parents, true
	case *gatewayv1.TCPRoute:
		return route.Status.Parents, true
	case *gatewayv1.UDPRoute:
		return route.Status.Parents, true
	}
	return nil, false
}

func parentConditions(have []gatewayv1.RouteParentStatus, parent gatewayv1.RouteParentStatus) []metav1.Condition {
	for _, p := range have {
		if p.ControllerName == parent.ControllerName && equality.Semantic.DeepEqual(p.ParentRef, parent.ParentRef) {
			return p.Conditions
		}
	}
	return nil
}
