package gatewayapi

import (
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/experimental"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// setKinds are the kinds of objects that add listeners to a Gateway, with their units and
// the indexes by which a Gateway finds them.
var setKinds = []setKind{
	{unit.ListenerSet, listenerSetRole, "ListenerSet of Gateway"},
	{unit.XListenerSet, xListenerSetRole, "XListenerSet of Gateway"},
}

type setKind struct {
	kind  unit.Kind
	role  unit.Role[*served]
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
