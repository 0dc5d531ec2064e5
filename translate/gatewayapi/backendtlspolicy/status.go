package backendtlspolicy

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/ancestor"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// status is the status of a BackendTLSPolicy: the same conditions for each of our Gateways.
type status struct {
	condition.Verdicts
	controller string
	conditions []metav1.Condition
	// gateways are the first Gateways with a route to a backend of the policy, sorted.
	gateways []unit.Key
}

// Counted implements [unit.Status].
func (s *status) Counted(map[string]int) unit.Status { return s }

// Listed implements [unit.Listing]. The targets of a policy are Gateways.
func (s *status) Listed(first []unit.Key) unit.Status {
	listed := *s
	listed.gateways = first
	return &listed
}

// Diagnostics implements [unit.Status].
func (s *status) Diagnostics() (all []unit.Verdict) {
	for _, gateway := range s.gateways {
		for _, v := range s.Verdicts {
			v.Message = fmt.Sprintf("ancestor %q: %s", gateway.Name, v.Message)
			all = append(all, v)
		}
	}
	return all
}

// Refused implements [unit.Status]. A policy has nothing in Kong.
func (s *status) Refused(string) unit.Status { return s }

// Merge implements [unit.Status]. Ancestors of other controllers stay.
func (s *status) Merge(object unit.Object, now unit.Moment) (any, bool) {
	policy, ok := object.(*gatewayv1.BackendTLSPolicy)
	if !ok {
		return nil, false
	}
	var own []gatewayv1.PolicyAncestorStatus
	for _, gateway := range s.gateways {
		own = append(own, gatewayv1.PolicyAncestorStatus{AncestorRef: ancestor.Ref(gateway), Conditions: s.conditions})
	}
	all, differs := ancestor.Merge(policy.Status.Ancestors, s.controller, own, now)
	return gatewayv1.PolicyStatus{Ancestors: all}, differs
}

func accepted() condition.Diagnosis {
	return condition.New(gatewayv1.PolicyConditionAccepted, true, gatewayv1.PolicyReasonAccepted, "connections to the backends use the policy")
}

func notAccepted(reason gatewayv1.PolicyConditionReason, message string) condition.Diagnosis {
	return condition.New(gatewayv1.PolicyConditionAccepted, false, reason, message)
}

func resolvedRefs() condition.Diagnosis {
	return condition.New(gatewayv1.BackendTLSPolicyConditionResolvedRefs, true, gatewayv1.BackendTLSPolicyReasonResolvedRefs, "all references are resolved")
}

func unresolvedRefs(reason gatewayv1.PolicyConditionReason, message string) condition.Diagnosis {
	return condition.New(gatewayv1.BackendTLSPolicyConditionResolvedRefs, false, reason, message)
}
