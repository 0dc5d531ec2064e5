package ingress

import (
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// classAnnotation is older than spec.ingressClassName and wins over it.
const classAnnotation = "kubernetes.io/ingress.class"

// ours tells whether an Ingress is of the class. One that names no class is if the
// class is the cluster's default. Of all others nothing more is read.
func ours(r *unit.Reader, ingress *networkingv1.Ingress, class string) bool {
	if name, ok := ingress.Annotations[classAnnotation]; ok {
		return name == class
	}
	if ingress.Spec.IngressClassName != nil {
		return *ingress.Spec.IngressClassName == class
	}
	object, ok := unit.Get[*networkingv1.IngressClass](r, unit.Key{Kind: unit.IngressClass, Name: class})
	return ok && object.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true"
}
