package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/experimental"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// indexListenerSets adds the indexes by which a Gateway finds the ListenerSets that name it
// as their parent.
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

// gatewayOf is the Gateway to which a ListenerSet wants to be attached. It is false if
// that is another kind of object.
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

// listenersOf are those of a Gateway, then those of the ListenerSets that it allows, the
// oldest first; with what can be said of them before they have a port.
// Those for which there is no room are not among them.
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

// tooMany is why a ListenerSet, with which its namespace would add so many listeners to a
// Gateway, is left out; empty if it is not.
func tooMany(r *unit.Reader, gateway *gatewayv1.Gateway, set *gatewayv1.ListenerSet, listeners int) string {
	most := r.Limits().Listeners
	if set.Namespace == gateway.Namespace && most != limit.Unlimited {
		most *= limit.OwnListeners
	}
	if !limit.Exceeds(listeners, most) {
		return ""
	}
	return fmt.Sprintf("with it the ListenerSets of namespace %s have %d listeners or more of Gateway %s/%s, and the setting %s allows %d",
		set.Namespace, listeners, gateway.Namespace, gateway.Name, limit.Listeners, most)
}

// attachedSet is a ListenerSet, and which object it is.
type attachedSet struct {
	*gatewayv1.ListenerSet
	key unit.Key
}

// setsOf are the ListenerSets that a Gateway allows, in their order.
func setsOf(r *unit.Reader, gateway *gatewayv1.Gateway) (sets []attachedSet) {
	for _, k := range setKinds {
		for _, object := range unit.List[unit.Object](r, k.index, types.NamespacedName{Namespace: gateway.Namespace, Name: gateway.Name}) {
			if set, ok := listenerSetOf(object); ok && admits(r, gateway, set) {
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

// admits tells whether a Gateway lets a ListenerSet be attached to it.
func admits(r *unit.Reader, gateway *gatewayv1.Gateway, set *gatewayv1.ListenerSet) bool {
	allowed := gateway.Spec.AllowedListeners
	if allowed == nil || allowed.Namespaces == nil {
		return false
	}
	return NamespaceAllowed(r, set.Namespace, ptr.Deref(allowed.Namespaces.From, gatewayv1.NamespacesFromNone), allowed.Namespaces.Selector, gateway.Namespace)
}

// NamespaceAllowed tells whether a namespace is one of those that an object of another one allows.
func NamespaceAllowed(r *unit.Reader, namespace string, from gatewayv1.FromNamespaces, by *metav1.LabelSelector, own string) bool {
	switch from {
	case gatewayv1.NamespacesFromAll:
		return true
	case gatewayv1.NamespacesFromSame:
		return namespace == own
	case gatewayv1.NamespacesFromSelector:
		selector, err := metav1.LabelSelectorAsSelector(by)
		if err != nil {
			return false
		}
		n, ok := unit.Get[*corev1.Namespace](r, unit.Namespace.Key("", namespace))
		return ok && selector.Matches(labels.Set(n.Labels))
	}
	return false
}

// listenerSet translates a ListenerSet of one of its kinds. What its listeners are was found
// out with those of its Gateway.
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
	if !admits(r, gateway, set) {
		why := fmt.Sprintf("%s does not allow ListenerSets of namespace %s", parent, set.Namespace)
		return detached(set, key, why, unallowed(r, gateway, set))
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

// detached returns the fragment of a ListenerSet whose listeners the Gateway does not serve.
func detached(set *gatewayv1.ListenerSet, key unit.Key, why string, f unit.Fault) (unit.Fragment, *Served) {
	accepted := listenerSetNotAccepted(gatewayv1.ListenerSetReasonNotAllowed, why).With(f)
	programmed := listenerSetNotProgrammed(gatewayv1.ListenerSetReasonNotAllowed, why).With(f)
	status := &listenerSetStatus{conditions: condition.Observed(set.Generation, accepted, programmed)}
	status.Add(key, "", accepted, programmed)
	return unit.Fragment{Status: status}, &Served{Detached: why}
}

// unallowed returns the fault of a ListenerSet that its Gateway does not allow.
func unallowed(r *unit.Reader, gateway *gatewayv1.Gateway, set *gatewayv1.ListenerSet) unit.Fault {
	f := unit.At(field.Spec.Child("parentRef"))
	if allowed := gateway.Spec.AllowedListeners; allowed != nil && allowed.Namespaces != nil {
		f.Missing = MissingNamespace(r, set.Namespace, ptr.Deref(allowed.Namespaces.From, gatewayv1.NamespacesFromNone))
	}
	return f
}

// MissingNamespace returns the key of a Namespace that does not exist and whose labels decide.
func MissingNamespace(r *unit.Reader, namespace string, from gatewayv1.FromNamespaces) (missing unit.Key) {
	if key := unit.Namespace.Key("", namespace); from == gatewayv1.NamespacesFromSelector && r.Get(key) == nil {
		return key
	}
	return missing
}

// status is that of a ListenerSet which its Gateway allows.
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

// conditions tell what becomes of a ListenerSet with these listeners.
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

// attachedSets counts the ListenerSets that are served.
func (m *merged) attachedSets() int32 {
	found := map[unit.Key]bool{}
	for _, a := range m.listeners {
		if a.of.Kind != unit.Gateway && condition.IsTrue(a.programmed) {
			found[a.of] = true
		}
	}
	return int32(len(found))
}

// setKinds are the kinds of objects that add listeners to a Gateway, with their units and
// the indexes by which a Gateway finds them.
var setKinds = []setKind{
	{unit.ListenerSet, listenerSetRole, "ListenerSet of Gateway"},
	{unit.XListenerSet, xListenerSetRole, "XListenerSet of Gateway"},
}

type setKind struct {
	kind  unit.Kind
	role  unit.Role[*Served]
	index unit.Index[types.NamespacedName]
}

// listenerSetOf is what an object of a kind that adds listeners says.
func listenerSetOf(object unit.Object) (*gatewayv1.ListenerSet, bool) {
	switch set := object.(type) {
	case *gatewayv1.ListenerSet:
		return set, true
	case *experimental.XListenerSet:
		return &set.ListenerSet, true
	}
	return nil, false
}
