// Package class tells which objects are for this gateway: those of its ingress class.
package class

import (
	"fmt"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Annotation names the class of an object.
const Annotation = "kubernetes.io/ingress.class"

// Ours tells whether an object is of a class, by its annotation. One that has none is
// if the class is the cluster's default.
func Ours(r *unit.Reader, object metav1.Object, class string) bool {
	if name, ok := object.GetAnnotations()[Annotation]; ok {
		return name == class
	}
	return isDefault(r, class)
}

// OursIngress is Ours for an Ingress, which may also have its class in a field.
func OursIngress(r *unit.Reader, ingress *networkingv1.Ingress, class string) bool {
	if _, ok := ingress.Annotations[Annotation]; !ok && ingress.Spec.IngressClassName != nil {
		return *ingress.Spec.IngressClassName == class
	}
	return Ours(r, ingress, class)
}

func isDefault(r *unit.Reader, class string) bool {
	object, ok := unit.Get[*networkingv1.IngressClass](r, unit.Key{Kind: unit.IngressClass, Name: class})
	return ok && object.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true"
}

// Missing is the verdict on an object that is not ours because it names no class; nil
// for one of another class. Of kinds that nobody but Kong reads, such an object is
// hardly meant for anybody else.
func Missing(object metav1.Object, key unit.Key, class string) []unit.Verdict {
	if _, ok := object.GetAnnotations()[Annotation]; ok {
		return nil
	}
	return []unit.Verdict{unit.Warning(key, "ClassMissing", fmt.Sprintf(
		"%s has no annotation %s and has no effect; for this gateway it is to be %q", key, Annotation, class))}
}
