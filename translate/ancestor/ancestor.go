// Package ancestor merges the ancestors in the status of a policy: the objects for which the
// policy takes effect.
package ancestor

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Most is the maximum number of ancestors in a status, including those of other controllers.
const Most = unit.MostListed

// Merge returns the ancestors of a status with the controller's ancestors replaced by own, and
// reports whether they differ from have. The ancestors of other controllers stay. A condition whose
// status is unchanged keeps its transition time.
func Merge(have []gatewayv1.PolicyAncestorStatus, controller string, own []gatewayv1.PolicyAncestorStatus, now unit.Moment) (all []gatewayv1.PolicyAncestorStatus, differs bool) {
	all = []gatewayv1.PolicyAncestorStatus{}
	for _, a := range have {
		if string(a.ControllerName) != controller {
			all = append(all, a)
		}
	}
	for _, a := range own {
		if len(all) == Most {
			break
		}
		a.ControllerName = gatewayv1.GatewayController(controller)
		a.Conditions = withTimes(a, have, now)
		all = append(all, a)
	}
	return all, len(have)+len(all) > 0 && !equality.Semantic.DeepEqual(all, have)
}

// withTimes returns the ancestor's conditions with transition times. A condition whose status is
// unchanged keeps its time; the others get now.
func withTimes(ancestor gatewayv1.PolicyAncestorStatus, have []gatewayv1.PolicyAncestorStatus, now unit.Moment) []metav1.Condition {
	at := slices.IndexFunc(have, func(a gatewayv1.PolicyAncestorStatus) bool {
		return a.ControllerName == ancestor.ControllerName && equality.Semantic.DeepEqual(a.AncestorRef, ancestor.AncestorRef)
	})
	conditions := slices.Clone(ancestor.Conditions)
	for i, c := range conditions {
		conditions[i].LastTransitionTime = now.Time
		if at < 0 {
			continue
		}
		for _, old := range have[at].Conditions {
			if old.Type == c.Type && old.Status == c.Status {
				conditions[i].LastTransitionTime = old.LastTransitionTime
			}
		}
	}
	return conditions
}

// Ref returns the reference to an ancestor.
func Ref(key unit.Key) gatewayv1.ParentReference {
	group, kind, namespace := gatewayv1.Group(key.Kind.Group()), gatewayv1.Kind(key.Kind), gatewayv1.Namespace(key.Namespace)
	return gatewayv1.ParentReference{Group: &group, Kind: &kind, Namespace: &namespace, Name: gatewayv1.ObjectName(key.Name)}
}
