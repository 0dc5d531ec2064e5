package gatewayapi

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// ExperimentalGroupVersion is that of XListenerSets.
var ExperimentalGroupVersion = schema.GroupVersion{Group: unit.XListenerSet.Group(), Version: "v1alpha1"}

// XListenerSet is a ListenerSet as the experimental channel of Gateway API 1.3 and 1.4 has
// it: another group and kind with the same fields. Both can be there at a time, of one name.
type XListenerSet struct {
	gatewayv1.ListenerSet `json:",inline"`
}

// DeepCopyObject implements [runtime.Object].
func (s *XListenerSet) DeepCopyObject() runtime.Object {
	copied := &XListenerSet{}
	s.DeepCopyInto(&copied.ListenerSet)
	return copied
}

// setKinds are the kinds of objects that add listeners to a Gateway, with their units and
// the indexes by which a Gateway finds them.
var setKinds = []setKind{
	{unit.ListenerSet, listenerSetRole, "ListenerSet of Gateway"},
	{unit.XListenerSet, xListenerSetRole, "XListenerSet of Gateway"},
}

type setKind struct {
	kind  unit.Kind
	role  unit.Role
	index unit.Kind
}

// listenerSetOf is what an object of a kind that adds listeners says.
func listenerSetOf(object unit.Object) (*gatewayv1.ListenerSet, bool) {
	switch set := object.(type) {
	case *gatewayv1.ListenerSet:
		return set, true
	case *XListenerSet:
		return &set.ListenerSet, true
	}
	return nil, false
}
