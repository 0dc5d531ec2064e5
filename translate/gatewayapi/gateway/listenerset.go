package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/experimental"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// indexListenerSets adds the indexes of ListenerSets by their parent Gateway.
func indexListenerSets(g *unit.Graph) {
	for _, k := range setKinds {
		unit.DefineIndex(g, k.index, k.kind, func(object unit.Object) []types.NamespacedName {
			if set, ok := listenerSetOf(object); ok {
				if gateway, ok := gatewayOf(set); ok {
					return []types.NamespacedName{{Namespace: gateway.Namespace, Name: gateway.Name}}
				}
			}
			return nil
		})
	}
}

// gatewayOf returns the parent Gateway of a ListenerSet; it is false if the parent is of another kind.
func gatewayOf(set *gatewayv1.ListenerSet) (unit.Key, bool) {
	ref := set.Spec.ParentRef
	return unit.Gateway.Key(string(ptr.Deref(ref.Namespace, gatewayv1.Namespace(set.Namespace))), string(ref.Name)),
		ptr.Deref(ref.Group, gatewayv1.GroupName) == gatewayv1.GroupName && ptr.Deref(ref.Kind, "Gateway") == "Gateway"
}

// source is an object that has listeners: a Gateway, or a ListenerSet attached to one.
type source struct {
	key       unit.Key
	object    unit.Object
	listeners []gatewayv1.Listener
}

// listenersOf returns the listeners of a Gateway, then those of the ListenerSets that it allows, the
// oldest first, without their ports and references. ListenerSets beyond the limit are left out.
func listenersOf(r *unit.Reader, gateway *gatewayv1.Gateway) []assessment {
	sources := []source{{key: unit.Gateway.Of(gateway), object: gateway, listeners: gateway.Spec.Listeners}}
	added := map[string]int{} // by namespace
	for _, set := range setsOf(r, gateway) {
		if tooMany(r, gateway, set.ListenerSet, added[set.Namespace]+len(set.Spec.Listeners)) != "" {
			continue
		}
		added[set.Namespace] += len(set.Spec.Listeners)
		s := source{key: set.key, object: set}
		for _, entry := range set.Spec.Listeners {
			s.listeners = append(s.listeners, gatewayv1.Listener(entry))
		}
		sources = append(sources, s)
	}
	var all []assessment
	for _, s := range sources {
		for i := range s.listeners {
			all = append(all, assess(s, i))
		}
	}
	conflict(all)
	return all
}

// tooMany returns why a ListenerSet is left out, with which its namespace would add so many listeners
// to a Gateway; empty if it is not.
func tooMany(r *unit.Reader, gateway *gatewayv1.Gateway, set *gatewayv1.ListenerSet, listeners int) string {
	most := r.Limits().Listeners
	if set.Namespace == gateway.Namespace && most != limit.Unlimited {
		most *= limit.OwnListeners
	}
	if !limit.Exceeds(listeners, most) {
		return ""
	}
	return fmt.Sprintf("the ListenerSets of namespace %s would add %d listeners to Gateway %s/%s; the setting %s allows %d",
		set.Namespace, listeners, gateway.Namespace, gateway.Name, limit.Listeners, most)
}

// attachedSet is a ListenerSet or XListenerSet, and its key.
type attachedSet struct {
	*gatewayv1.ListenerSet
	key unit.Key
}

// setsOf returns the ListenerSets that a Gateway allows, the oldest first.
func setsOf(r *unit.Reader, gateway *gatewayv1.Gateway) (sets []attachedSet) {
	allowed := allowedSets(gateway)
	for _, k := range setKinds {
		for _, object := range unit.List[unit.Object](r, k.index, types.NamespacedName{Namespace: gateway.Namespace, Name: gateway.Name}) {
			if set, ok := listenerSetOf(object); ok && allowed.Allow(r, set.Namespace) {
				sets = append(sets, attachedSet{set, k.kind.Of(set)})
			}
		}
	}
	slices.SortStableFunc(sets, func(a, b attachedSet) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
			strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name))
	})
	return sets
}

// allowedSets returns the namespaces whose ListenerSets may attach to a Gateway.
func allowedSets(gateway *gatewayv1.Gateway) Namespaces {
	allowed := gateway.Spec.AllowedListeners
	if allowed == nil || allowed.Namespaces == nil {
		return Namespaces{from: gatewayv1.NamespacesFromNone}
	}
	return newNamespaces(gateway.Namespace, ptr.Deref(allowed.Namespaces.From, gatewayv1.NamespacesFromNone), allowed.Namespaces.Selector)
}

// listenerSet translates a ListenerSet or XListenerSet. Its listeners were assessed with the Gateway's.
func (Options) listenerSet(r *unit.Reader, key unit.Key, object unit.Object) (unit.Fragment, *Served) {
	set, ok := listenerSetOf(object)
	if !ok {
		return unit.Fragment{}, nil
	}
	parent, ok := gatewayOf(set)
	if !ok {
		return unit.Fragment{}, nil
	}
	gateway, ok := unit.Get[*gatewayv1.Gateway](r, parent)
	if !ok {
		return unit.Fragment{}, nil
	}
	if _, ours := unit.UsePart(r, mergedOf(parent), oursPart{}); !ours {
		return unit.Fragment{}, nil
	}
	if allowed := allowedSets(gateway); !allowed.Allow(r, set.Namespace) {
		why := fmt.Sprintf("%s does not allow ListenerSets of namespace %s", parent, set.Namespace)
		return detached(set, key, why, unit.Lacking(field.Spec.Child("parentRef"), allowed.Missing(r, set.Namespace)))
	}
	m, _ := unit.UsePart(r, mergedOf(parent), setPart{set: key})
	if why := m.omitted; why != "" {
		return detached(set, key, why, unit.At(field.Spec.Child("listeners")))
	}
	status := m.status(set.Generation, key)
	if m.pooled {
		status.network = networkOf(r, gateway)
	}
	return unit.Fragment{Status: status}, servedBy(parent, m.listeners)
}

// detached returns the fragment and value of a ListenerSet that is not attached to its Gateway.
func detached(set *gatewayv1.ListenerSet, key unit.Key, why string, f unit.Fault) (unit.Fragment, *Served) {
	accepted := listenerSetNotAccepted(gatewayv1.ListenerSetReasonNotAllowed, why).With(f)
	programmed := listenerSetNotProgrammed(gatewayv1.ListenerSetReasonNotAllowed, why).With(f)
	status := &listenerSetStatus{conditions: condition.Observed(set.Generation, accepted, programmed)}
	status.Add(key, "", accepted, programmed)
	return unit.Fragment{Status: status}, &Served{Detached: why}
}

// status returns the status of an attached ListenerSet.
func (m setMerged) status(generation int64, key unit.Key) *listenerSetStatus {
	s := &listenerSetStatus{}
	for _, a := range m.listeners {
		s.listeners = append(s.listeners, a.status())
	}
	conditions := m.conditions()
	s.conditions = condition.Observed(generation, conditions...)
	s.Add(key, "", conditions...)
	addListeners(&s.Verdicts, m.listeners)
	return s
}

// conditions returns the conditions Accepted and Programmed of an attached ListenerSet.
func (m setMerged) conditions() []condition.Diagnosis {
	good := 0
	for _, a := range m.listeners {
		if condition.IsTrue(a.programmed) {
			good++
		}
	}
	switch {
	case !m.accepted:
		return []condition.Diagnosis{
			listenerSetNotAccepted(gatewayv1.ListenerSetReasonParentNotAccepted, "the Gateway is not accepted").Following(field.Spec.Child("parentRef")),
			listenerSetNotProgrammed(reasonParentNotProgrammed, "the Gateway is not accepted").Following(field.Spec.Child("parentRef"))}
	case good == 0:
		return []condition.Diagnosis{listenerSetListenersNotValid(false),
			listenerSetNotProgrammed(gatewayv1.ListenerSetReasonListenersNotValid, "no listener can be served").Following(field.Spec.Child("listeners"))}
	case good < len(m.listeners):
		return []condition.Diagnosis{listenerSetListenersNotValid(true), listenerSetProgrammed()}
	}
	return []condition.Diagnosis{listenerSetAccepted(), listenerSetProgrammed()}
}

// attachedSets returns the number of ListenerSets with a served listener.
func (m *merged) attachedSets() int32 {
	found := map[unit.Key]bool{}
	for _, a := range m.listeners {
		if a.of.Kind != unit.Gateway && condition.IsTrue(a.programmed) {
			found[a.of] = true
		}
	}
	return int32(len(found))
}

// setKinds are the kinds of objects that add listeners to a Gateway, with the roles of their units
// and the indexes by their parent Gateway.
var setKinds = []setKind{
	{unit.ListenerSet, listenerSetRole, "ListenerSet of Gateway"},
	{unit.XListenerSet, xListenerSetRole, "XListenerSet of Gateway"},
}

type setKind struct {
	kind  unit.Kind
	role  unit.Role[*Served]
	index unit.Index[types.NamespacedName]
}

// listenerSetOf returns a ListenerSet or XListenerSet as a ListenerSet; it is false for other objects.
func listenerSetOf(object unit.Object) (*gatewayv1.ListenerSet, bool) {
	switch set := object.(type) {
	case *gatewayv1.ListenerSet:
		return set, true
	case *experimental.XListenerSet:
		return &set.ListenerSet, true
	}
	return nil, false
}
