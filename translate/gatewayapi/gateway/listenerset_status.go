package gateway

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// listenerSetStatus is the status of a ListenerSet or XListenerSet.
type listenerSetStatus struct {
	condition.Verdicts
	conditions []metav1.Condition
	listeners  []gatewayv1.ListenerStatus
	// network is the state of the Gateway's own Service; nil if it has none or the ListenerSet is
	// not attached.
	network *network
}

// Counted implements [unit.Status].
func (s *listenerSetStatus) Counted(attached map[string]int) unit.Status {
	counted := *s
	counted.listeners = countedListeners(s.listeners, attached)
	return &counted
}

// Refused implements [unit.Status].
func (s *listenerSetStatus) Refused(message string) unit.Status {
	refused := *s
	refused.conditions = condition.Replace(s.conditions, listenerSetNotProgrammed(gatewayv1.ListenerSetReasonInvalid, message).Condition)
	return &refused
}

// Merge implements [unit.Status].
func (s *listenerSetStatus) Merge(object unit.Object, now unit.Moment) (any, bool) {
	set, ok := listenerSetOf(object)
	if !ok {
		return nil, false
	}
	want := gatewayv1.ListenerSetStatus{
		Conditions: condition.Merge(set.Status.Conditions, s.conditionsAt(now), now),
		Listeners:  []gatewayv1.ListenerEntryStatus{},
	}
	have := make([]gatewayv1.ListenerStatus, len(set.Status.Listeners))
	for i, l := range set.Status.Listeners {
		have[i] = gatewayv1.ListenerStatus(l)
	}
	for _, l := range s.listeners {
		l.Conditions = condition.Merge(listenerConditions(have, l.Name), l.Conditions, now)
		want.Listeners = append(want.Listeners, gatewayv1.ListenerEntryStatus(l))
	}
	return want, !equality.Semantic.DeepEqual(want, set.Status)
}

// conditionsAt returns the conditions at a moment: not programmed if the Gateway has no address.
func (s *listenerSetStatus) conditionsAt(now unit.Moment) []metav1.Condition {
	missing := len(now.Addresses) == 0
	if s.network != nil {
		missing = s.network.missing != nil
	}
	conditions := s.conditions
	for _, c := range conditions {
		if missing && c.Type == string(gatewayv1.ListenerSetConditionProgrammed) && c.Status == metav1.ConditionTrue {
			conditions = condition.Replace(conditions, listenerSetNotProgrammed(reasonParentNotProgrammed, "the Gateway has no address yet").Condition)
		}
	}
	return conditions
}
