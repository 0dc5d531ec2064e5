// Package experimental holds the API types of Gateway API's experimental channel that clusters
// of older releases serve and that the module no longer has.
package experimental

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// GroupVersion is the API version of XListenerSets.
var GroupVersion = schema.GroupVersion{Group: unit.XListenerSet.Group(), Version: "v1alpha1"}

// XListenerSet is the ListenerSet of Gateway API 1.3 and 1.4: the same fields under another
// group and kind. A cluster can have a ListenerSet and an XListenerSet of one name.
type XListenerSet struct {
	gatewayv1.ListenerSet `json:",inline"`
}

// DeepCopyObject implements [runtime.Object].
func (s *XListenerSet) DeepCopyObject() runtime.Object {
	copied := &XListenerSet{}
	s.DeepCopyInto(&copied.ListenerSet)
	return copied
}
