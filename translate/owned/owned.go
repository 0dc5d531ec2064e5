// Package owned labels the objects that Gateways own, a Service and its EndpointSlices, and
// recognizes them by these labels.
package owned

import (
	"crypto/sha256"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

const (
	// ManagedByLabel has the value [ManagedBy] on every owned object.
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "kube-sync"
	classNameLabel = "gateway.networking.k8s.io/gateway-class-name"
)

// Kinds are the kinds of owned objects.
var Kinds = []unit.Kind{unit.Service, unit.EndpointSlice}

// Mark adds the labels of an object that a Gateway owns.
func Mark(labels map[string]string, gateway *gatewayv1.Gateway) {
	labels[ManagedByLabel] = ManagedBy
	labels[gatewayv1.GatewayNameLabelKey] = labelValue(gateway.Name)
	labels[classNameLabel] = labelValue(string(gateway.Spec.GatewayClassName))
}

// Is reports whether an object is owned by a Gateway.
func Is(object metav1.Object) bool {
	labels := object.GetLabels()
	return labels[ManagedByLabel] == ManagedBy && labels[gatewayv1.GatewayNameLabelKey] != ""
}

// By reports whether an object is owned by the Gateway of this name in the object's namespace.
func By(gateway string, object metav1.Object) bool {
	return Is(object) && object.GetLabels()[gatewayv1.GatewayNameLabelKey] == labelValue(gateway)
}

// Key returns the index key of the objects that a Gateway owns. It equals their [KeyOf].
func Key(namespace, gateway string) string { return namespace + "/" + labelValue(gateway) }

// KeyOf returns the index key of the Gateway that owns an object; false if none does.
func KeyOf(object metav1.Object) (key string, ok bool) {
	return object.GetNamespace() + "/" + object.GetLabels()[gatewayv1.GatewayNameLabelKey], Is(object)
}

// labelValue returns a name as a label value. It truncates a longer name and adds a digest.
func labelValue(name string) string {
	if len(name) <= validation.LabelValueMaxLength {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%s-%x", name[:50], sum[:6])
}
