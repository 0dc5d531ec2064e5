package gateway

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Namespaces are the namespaces whose objects may attach to an object.
type Namespaces struct {
	own      string // namespace of the object
	from     gatewayv1.FromNamespaces
	selector labels.Selector
}

// newNamespaces parses the selector, so that it is not parsed for each route. An invalid one selects
// no namespace.
func newNamespaces(own string, from gatewayv1.FromNamespaces, by *metav1.LabelSelector) Namespaces {
	n := Namespaces{own: own, from: from, selector: labels.Nothing()}
	if from != gatewayv1.NamespacesFromSelector {
		return n
	}
	if selector, err := metav1.LabelSelectorAsSelector(by); err == nil {
		n.selector = selector
	}
	return n
}

// Allow reports whether objects of a namespace may attach.
func (n Namespaces) Allow(r *unit.Reader, namespace string) bool {
	switch n.from {
	case gatewayv1.NamespacesFromAll:
		return true
	case gatewayv1.NamespacesFromSame:
		return namespace == n.own
	case gatewayv1.NamespacesFromSelector:
		object, ok := unit.Get[*corev1.Namespace](r, unit.Namespace.Key("", namespace))
		return ok && n.selector.Matches(labels.Set(object.Labels))
	}
	return false
}

// Missing returns the key of a namespace that does not exist and whose labels would decide; the zero
// Key otherwise.
func (n Namespaces) Missing(r *unit.Reader, namespace string) unit.Key {
	if key := unit.Namespace.Key("", namespace); n.from == gatewayv1.NamespacesFromSelector && r.Get(key) == nil {
		return key
	}
	return unit.Key{}
}
