package translate

import (
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// MissingParents returns a verdict for each object that decides about another one, such as the
// Gateway of a route, and that does not exist. The translation itself has no verdict then, because
// another controller may be meant.
func MissingParents(g *unit.Graph, key unit.Key) (verdicts []unit.Verdict) {
	for _, missing := range g.Missing(key) {
		if slices.Contains([]unit.Kind{unit.Gateway, unit.GatewayClass, unit.ListenerSet, unit.XListenerSet}, missing.Kind) {
			verdicts = append(verdicts, unit.Warning(key, "ParentNotFound", missing.String()+" is not among the manifests").
				With(unit.Lacking(parentField(key.Kind), missing)))
		}
	}
	return verdicts
}

// parentField returns the path at which objects of a kind name the object that decides about them.
func parentField(kind unit.Kind) field.Path {
	switch kind {
	case unit.Gateway:
		return "spec.gatewayClassName"
	case unit.ListenerSet, unit.XListenerSet:
		return "spec.parentRef"
	}
	return "spec.parentRefs"
}

// Unserved returns why an object has no effect although the graph has all objects that exist: its
// parents are missing, or it is an Ingress of a class that does not exist.
func Unserved(g *unit.Graph, key unit.Key) []unit.Verdict {
	if g.Object(key) == nil {
		return nil
	}
	verdicts := MissingParents(g, key)
	ingress, ok := g.Object(key).(*networkingv1.Ingress)
	if !ok {
		return verdicts
	}
	name, path := ingress.Annotations[class.Annotation], field.NewPath("metadata", "annotations").Key(class.Annotation)
	if name == "" && ingress.Spec.IngressClassName != nil {
		name, path = *ingress.Spec.IngressClassName, field.NewPath("spec", "ingressClassName")
	}
	missing := unit.IngressClass.Key("", name)
	// The translation reads the gateway's own class, which may be missing.
	if name == "" || g.Object(missing) != nil || slices.Contains(g.Missing(key), missing) {
		return verdicts
	}
	return append(verdicts, unit.Warning(key, "ClassNotFound", fmt.Sprintf("%s is not among the manifests", missing)).With(unit.Lacking(path, missing)))
}
