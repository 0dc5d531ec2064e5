package gatewayapi

import (
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// classStatus is that of a GatewayClass.
type classStatus struct {
	diagnostics
	conditions []metav1.Condition
	features   []gatewayv1.SupportedFeature
}

func newClassStatus(class *gatewayv1.GatewayClass, features []gatewayv1.SupportedFeature, conditions ...diagnosis) *classStatus {
	s := &classStatus{conditions: observed(class.Generation, conditions...), features: features}
	s.add(unit.GatewayClass.Key("", class.Name), "", conditions...)
	return s
}

// Counted implements [unit.Status].
func (s *classStatus) Counted(map[string]int) unit.Status { return s }

// Refused implements [unit.Status]. A class has nothing in Kong.
func (s *classStatus) Refused(string) unit.Status { return s }

// Merge implements [unit.Status].
func (s *classStatus) Merge(object unit.Object, now unit.Moment) (any, bool) {
	class, ok := object.(*gatewayv1.GatewayClass)
	if !ok {
		return nil, false
	}
	want := gatewayv1.GatewayClassStatus{
		Conditions:        blended(class.Status.Conditions, s.conditions, now),
		SupportedFeatures: s.features,
	}
	return want, !equality.Semantic.DeepEqual(want, class.Status)
}

// gatewayStatus is that of a Gateway.
type gatewayStatus struct {
	diagnostics
	conditions []metav1.Condition
	listeners  []gatewayv1.ListenerStatus
	// sets is how many ListenerSets are attached; nil if the Gateway says nothing of them.
	sets *int32
	// network is of the Gateway's own Service; nil for the one in front of Kong.
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
	refused.conditions = replaced(s.conditions, gatewayNotProgrammed(message).Condition)
	return &refused
}

// Merge implements [unit.Status].
func (s *gatewayStatus) Merge(object unit.Object, now unit.Moment) (any, bool) {
	gateway, ok := object.(*gatewayv1.Gateway)
	if !ok {
		return nil, false
	}
	conditions, reached := s.conditions, now.Addresses
	if s.network != nil {
		reached = s.network.addresses
	}
	switch {
	case s.network != nil && s.network.missing != nil && now.Denied != "":
		conditions = replaced(conditions, gatewayServiceDenied(now.Denied).Condition)
	case s.network != nil && s.network.missing != nil:
		conditions = replaced(conditions, s.network.missing.Condition)
	case len(reached) == 0:
		conditions = replaced(conditions, gatewayWithoutAddress().Condition)
	}
	want := gatewayv1.GatewayStatus{
		Addresses:  addresses(reached),
		Conditions: blended(gateway.Status.Conditions, conditions, now),
		// Older definitions of Gateways have no field for it.
		AttachedListenerSets: s.sets,
	}
	if want.AttachedListenerSets == nil && gateway.Status.AttachedListenerSets != nil {
		want.AttachedListenerSets = new(int32) // what is left out would stay
	}
	for _, l := range s.listeners {
		l.Conditions = blended(listenerConditions(gateway.Status.Listeners, l.Name), l.Conditions, now)
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

// routeStatus is what a route's status has of our Gateways. Those of other controllers
// are none of our business.
type routeStatus struct {
	diagnostics
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
		refused.parents[i].Conditions = replaced(p.Conditions, routeNotProgrammed(message).Condition)
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
		p.Conditions = blended(parentConditions(have, p), p.Conditions, now)
		want.Parents = append(want.Parents, p)
	}
	return want, len(have)+len(want.Parents) > 0 && !equality.Semantic.DeepEqual(want.Parents, have)
}

// parentsOf are the parents in the status of a route.
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

// ourTypes are the types of conditions that we may have written.
var ourTypes = []string{"Accepted", "ResolvedRefs", "PartiallyInvalid", "Programmed", "Conflicted", "SupportedVersion", "InsecureFrontendValidationMode"}

// blended are conditions in the place of those of ours; those of others stay. What has
// the status that it had keeps the time since when.
func blended(have, want []metav1.Condition, now unit.Moment) []metav1.Condition {
	var all []metav1.Condition
	for _, c := range want {
		c.LastTransitionTime = now.Time
		for _, h := range have {
			if h.Type == c.Type && h.Status == c.Status {
				c.LastTransitionTime = h.LastTransitionTime
			}
		}
		all = append(all, c)
	}
	for _, h := range have {
		if !slices.Contains(ourTypes, h.Type) {
			all = append(all, h)
		}
	}
	return all
}

// replaced are conditions with one of them in place of that of its type.
func replaced(conditions []metav1.Condition, by metav1.Condition) []metav1.Condition {
	conditions = slices.Clone(conditions)
	for i, c := range conditions {
		if c.Type == by.Type {
			by.ObservedGeneration = c.ObservedGeneration
			conditions[i] = by
		}
	}
	return conditions
}
