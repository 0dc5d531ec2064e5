// Package class decides which objects are for this gateway: those of its ingress class.
package class

import (
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Annotation names the class of an object.
const Annotation = "kubernetes.io/ingress.class"

// Ours reports whether an object belongs to a class, by its annotation. An object without the
// annotation belongs to the cluster's default class.
func Ours(r *unit.Reader, object metav1.Object, class string) bool {
	if name := object.GetAnnotations()[Annotation]; name != "" {
		return name == class
	}
	return isDefault(r, class)
}

// OursIngress is Ours for an Ingress, which may also name its class in a field.
func OursIngress(r *unit.Reader, ingress *networkingv1.Ingress, class string) bool {
	if ingress.Annotations[Annotation] == "" && ingress.Spec.IngressClassName != nil {
		return *ingress.Spec.IngressClassName == class
	}
	return Ours(r, ingress, class)
}

func isDefault(r *unit.Reader, class string) bool {
	object, ok := unit.Get[*networkingv1.IngressClass](r, unit.IngressClass.Key("", class))
	return ok && object.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true"
}

// MissingIngress returns the verdict on an Ingress that is not ours because it names no class. It
// returns nil if the Ingress names one, or uses nothing that only Kong reads.
func MissingIngress(ingress *networkingv1.Ingress, key unit.Key, class string) []unit.Verdict {
	if ingress.Annotations[Annotation] != "" || ingress.Spec.IngressClassName != nil || !OnlyKongReads(ingress) {
		return nil
	}
	return []unit.Verdict{unit.Warning(key, "ClassMissing", fmt.Sprintf(
		"without spec.ingressClassName, the Ingress takes effect only if %q is the default class", class)).At(field.NewPath("spec", "ingressClassName"))}
}

// kong is the common part of Kong's annotations and API groups.
const kong = "konghq.com"

// OnlyKongReads reports whether an Ingress uses something that only Kong reads.
func OnlyKongReads(ingress *networkingv1.Ingress) bool {
	for name := range ingress.Annotations {
		if strings.HasPrefix(name, kong+"/") {
			return true
		}
	}
	ofKong := func(b networkingv1.IngressBackend) bool {
		return b.Resource != nil && b.Resource.APIGroup != nil && strings.HasSuffix(*b.Resource.APIGroup, "."+kong)
	}
	for _, rule := range ingress.Spec.Rules {
		if rule.HTTP != nil && slices.ContainsFunc(rule.HTTP.Paths, func(p networkingv1.HTTPIngressPath) bool { return ofKong(p.Backend) }) {
			return true
		}
	}
	return ingress.Spec.DefaultBackend != nil && ofKong(*ingress.Spec.DefaultBackend)
}

// Missing returns the verdict on an object that is not ours because it names no class; nil for
// one of another class. It is for kinds that only Kong reads.
func Missing(object metav1.Object, key unit.Key, class string) []unit.Verdict {
	if object.GetAnnotations()[Annotation] != "" {
		return nil
	}
	return []unit.Verdict{unit.Warning(key, "ClassMissing", fmt.Sprintf(
		"%s has no annotation %s and so has no effect; set it to %q for this gateway", key, Annotation, class)).At(field.NewPath("metadata", "annotations").Key(Annotation))}
}
