package gateway

import (
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// gatewayStatus is the status of a Gateway.
type gatewayStatus struct {
	condition.Verdicts
	conditions []metav1.Condition
	listeners  []gatewayv1.ListenerStatus
	// sets is the number of attached ListenerSets; nil if the Gateway does not allow any.
	sets *int32
	// network is the state of the Gateway's own Service; nil if it has none.
	network *network
}

// Counted implements [unit.Status].
func (s *gatewayStatus) Counted(attached map[string]int) unit.Status {
	counted := *s
	counted.listeners = countedListeners(s.listeners, attached)
	return &counted
}

func countedListeners(listeners []gatewayv1.ListenerStatus, attached map[string]int) []gatewayv1.ListenerStatus {
	counted := slices.Clone(listeners)
	for i := range counted {
		counted[i].AttachedRoutes = int32(attached[string(counted[i].Name)])
	}
	return counted
}

// Refused implements [unit.Status].
func (s *gatewayStatus) Refused(message string) unit.Status {
	refused := *s
	refused.conditions = condition.Replace(s.conditions, gatewayNotProgrammed(message).Condition)
	return &refused
}

// Merge implements [unit.Status].
func (s *gatewayStatus) Merge(object unit.Object, now unit.Moment) (any, bool) {
	gateway, ok := object.(*gatewayv1.Gateway)
	if !ok {
		return nil, false
	}
	conditions, assigned := s.conditions, now.Addresses
	if s.network != nil {
		assigned = s.network.addresses
	}
	switch {
	case s.network != nil && s.network.missing != nil && now.Denied != "":
		conditions = condition.Replace(conditions, gatewayServiceDenied(now.Denied).Condition)
	case s.network != nil && s.network.missing != nil:
		conditions = condition.Replace(conditions, s.network.missing.Condition)
	case len(assigned) == 0:
		conditions = condition.Replace(conditions, gatewayWithoutAddress().Condition)
	}
	want := gatewayv1.GatewayStatus{
		Addresses:  addresses(assigned),
		Conditions: condition.Merge(gateway.Status.Conditions, conditions, now),
		// Older definitions of Gateways do not have the field.
		AttachedListenerSets: s.sets,
	}
	if want.AttachedListenerSets == nil && gateway.Status.AttachedListenerSets != nil {
		want.AttachedListenerSets = new(int32) // a merge patch would keep the old number
	}
	for _, l := range s.listeners {
		l.Conditions = condition.Merge(listenerConditions(gateway.Status.Listeners, l.Name), l.Conditions, now)
		want.Listeners = append(want.Listeners, l)
	}
	return want, !equality.Semantic.DeepEqual(want, gateway.Status)
}

func listenerConditions(have []gatewayv1.ListenerStatus, name gatewayv1.SectionName) []metav1.Condition {
	for _, l := range have {
		if l.Name == name {
			return l.Conditions
		}
	}
	return nil
}

func addresses(all []string) []gatewayv1.GatewayStatusAddress {
	var list []gatewayv1.GatewayStatusAddress
	for _, address := range all {
		kind := gatewayv1.IPAddressType
		if _, err := netip.ParseAddr(address); err != nil {
			kind = gatewayv1.HostnameAddressType
		}
		list = append(list, gatewayv1.GatewayStatusAddress{Type: &kind, Value: address})
	}
	return list
}
