package upstream

import (
	"strings"

	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	incubatorv1alpha1 "github.com/kong/kubernetes-configuration/api/incubator/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/ancestor"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Attach tells a KongUpstreamPolicy's status that the unit which asks balances the
// endpoints of an object by it: of a Service or what stands for one.
func Attach(r *unit.Reader, name string, to unit.Key) {
	r.Attach(unit.Section{Object: unit.KongUpstreamPolicy.Key(to.Namespace, name),
		Name: string(to.Kind) + " " + to.Name})
}

// policyStatus is what a policy's status says of the Services that it is for.
type policyStatus struct {
	controller string
	// wrong says which fields do not count.
	wrong   string
	refused string
	// attached are the first sections of the policy, in order.
	attached []string
}

// Counted implements [unit.Status].
func (s policyStatus) Counted(map[string]int) unit.Status { return s }

// Listed implements [unit.Listing].
func (s policyStatus) Listed(first []string) unit.Status {
	s.attached = first
	return s
}

// Refused implements [unit.Status].
func (s policyStatus) Refused(message string) unit.Status {
	s.refused = message
	return s
}

// Diagnostics implements [unit.Status].
func (s policyStatus) Diagnostics() []unit.Verdict { return nil }

// Merge implements [unit.Status]. Ancestors of other controllers stay.
func (s policyStatus) Merge(object unit.Object, now unit.Moment) (any, bool) {
	p, ok := object.(*configurationv1beta1.KongUpstreamPolicy)
	if !ok {
		return nil, false
	}
	all, differs := ancestor.Merge(p.Status.Ancestors, s.controller, s.ancestors(p), now)
	return map[string]any{"ancestors": all}, differs
}

// ancestors are one for each Service that is listed.
func (s policyStatus) ancestors(p *configurationv1beta1.KongUpstreamPolicy) []gatewayv1.PolicyAncestorStatus {
	var list []gatewayv1.PolicyAncestorStatus
	for _, section := range s.attached {
		kind, name, _ := strings.Cut(section, " ")
		var group gatewayv1.Group
		if kind == string(unit.KongServiceFacade) {
			group = gatewayv1.Group(incubatorv1alpha1.SchemeGroupVersion.Group)
		}
		namespace := gatewayv1.Namespace(p.Namespace)
		list = append(list, gatewayv1.PolicyAncestorStatus{
			AncestorRef: gatewayv1.ParentReference{
				Group: &group, Kind: (*gatewayv1.Kind)(&kind), Namespace: &namespace, Name: gatewayv1.ObjectName(name),
			},
			Conditions: s.conditions(p.Generation),
		})
	}
	return list
}

func (s policyStatus) conditions(generation int64) []metav1.Condition {
	accepted := metav1.Condition{Type: "Accepted", Status: metav1.ConditionTrue, Reason: "Accepted",
		Message: "the policy counts", ObservedGeneration: generation}
	programmed := metav1.Condition{Type: condition.Programmed, Status: metav1.ConditionTrue, Reason: "Programmed",
		Message: "Kong chooses endpoints by the policy", ObservedGeneration: generation}
	if s.wrong != "" {
		accepted.Status, accepted.Reason = metav1.ConditionFalse, "Invalid"
		accepted.Message = condition.Shorten(s.wrong + "; the rest of the policy counts")
	}
	if s.refused != "" {
		programmed.Status, programmed.Reason, programmed.Message = metav1.ConditionFalse, "Invalid", condition.Shorten(s.refused)
	}
	return []metav1.Condition{accepted, programmed}
}

// wrongOf joins what there is to say about a policy's fields.
func wrongOf(verdicts []unit.Verdict) string {
	var messages []string
	for _, v := range verdicts {
		if v.Reason == reasonInvalid {
			messages = append(messages, v.Message)
		}
	}
	return strings.Join(messages, "; ")
}
