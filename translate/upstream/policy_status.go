package upstream

import (
	"strings"

	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/ancestor"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Attach records in the status of a KongUpstreamPolicy that the reader's unit balances the
// endpoints of an object by it: a Service or a KongServiceFacade.
func Attach(r *unit.Reader, name string, to unit.Key) {
	r.Attach(unit.Section{Object: unit.KongUpstreamPolicy.Key(to.Namespace, name), Target: to})
}

// policyStatus is a policy's status. It has an ancestor for each Service that uses the policy.
type policyStatus struct {
	controller string
	// wrong says which fields have no effect.
	wrong   string
	refused string
	// targets are the first objects that use the policy, in order.
	targets []unit.Key
}

// Counted implements [unit.Status].
func (s policyStatus) Counted(map[string]int) unit.Status { return s }

// Listed implements [unit.Listing].
func (s policyStatus) Listed(first []unit.Key) unit.Status {
	s.targets = first
	return s
}

// Refused implements [unit.Status].
func (s policyStatus) Refused(message string) unit.Status {
	s.refused = message
	return s
}

// Diagnostics implements [unit.Status].
func (s policyStatus) Diagnostics() []unit.Verdict { return nil }

// Merge implements [unit.Status]. It keeps the ancestors of other controllers.
func (s policyStatus) Merge(object unit.Object, now unit.Moment) (any, bool) {
	p, ok := object.(*configurationv1beta1.KongUpstreamPolicy)
	if !ok {
		return nil, false
	}
	all, differs := ancestor.Merge(p.Status.Ancestors, s.controller, s.ancestors(p), now)
	return map[string]any{"ancestors": all}, differs
}

// ancestors returns one for each target.
func (s policyStatus) ancestors(p *configurationv1beta1.KongUpstreamPolicy) []gatewayv1.PolicyAncestorStatus {
	var list []gatewayv1.PolicyAncestorStatus
	for _, target := range s.targets {
		list = append(list, gatewayv1.PolicyAncestorStatus{AncestorRef: ancestor.Ref(target), Conditions: s.conditions(p.Generation)})
	}
	return list
}

func (s policyStatus) conditions(generation int64) []metav1.Condition {
	accepted := metav1.Condition{Type: "Accepted", Status: metav1.ConditionTrue, Reason: "Accepted",
		Message: "the policy is in effect", ObservedGeneration: generation}
	programmed := metav1.Condition{Type: condition.Programmed, Status: metav1.ConditionTrue, Reason: "Programmed",
		Message: "Kong balances requests by the policy", ObservedGeneration: generation}
	if s.wrong != "" {
		accepted.Status, accepted.Reason = metav1.ConditionFalse, "Invalid"
		accepted.Message = condition.Shorten(s.wrong + "; the rest of the policy is in effect")
	}
	if s.refused != "" {
		programmed.Status, programmed.Reason, programmed.Message = metav1.ConditionFalse, "Invalid", condition.Shorten(s.refused)
	}
	return []metav1.Condition{accepted, programmed}
}

// wrongOf joins the messages about a policy's fields.
func wrongOf(verdicts []unit.Verdict) string {
	var messages []string
	for _, v := range verdicts {
		if v.Reason == reasonInvalid {
			messages = append(messages, v.Message)
		}
	}
	return strings.Join(messages, "; ")
}
