package class

import (
	"fmt"

	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Role is the role of the unit of a class's parameters.
const Role unit.Role[Parameters] = "class-parameters"

// Parameters are what an IngressClass says for all of its objects.
type Parameters struct {
	// ServiceUpstream leaves the choice of endpoints to the cluster's proxy.
	ServiceUpstream bool
	// LegacyRegex takes paths for regular expressions that look like one.
	LegacyRegex bool
}

// Define adds the units of classes' parameters to a graph. They are units so that what
// uses them is translated again only if they change.
func Define(g *unit.Graph) {
	unit.Shared(g, Role, unit.IngressClass, parameters)
}

// Use reads a class's parameters.
func Use(r *unit.Reader, class string) Parameters {
	return unit.Use(r, Role.Of("", class))
}

func parameters(r *unit.Reader, key unit.Key) (unit.Fragment, Parameters) {
	object, ok := unit.Get[*networkingv1.IngressClass](r, key)
	if !ok || object.Spec.Parameters == nil {
		return unit.Fragment{}, Parameters{}
	}
	ref := object.Spec.Parameters
	at := field.NewPath("spec", "parameters")
	without := func(f unit.Fault, format string, args ...any) (unit.Fragment, Parameters) {
		return unit.Fragment{Verdicts: []unit.Verdict{
			unit.Warning(key, "ParametersInvalid", "spec.parameters: "+fmt.Sprintf(format, args...)).With(f)}}, Parameters{}
	}
	group := configurationv1alpha1.SchemeGroupVersion.Group
	if ref.Kind != string(unit.IngressClassParameters) || ref.APIGroup == nil || *ref.APIGroup != group {
		return without(unit.At(at.Child("kind")), "kind %s is not %s of %s", ref.Kind, unit.IngressClassParameters, group)
	}
	if ref.Namespace == nil {
		return without(unit.At(at.Child("namespace")), "%s are in a namespace, and none is named", ref.Kind)
	}
	named := unit.IngressClassParameters.Key(*ref.Namespace, ref.Name)
	found, ok := unit.Get[*configurationv1alpha1.IngressClassParameters](r, named)
	if !ok {
		return without(unit.Lacking(at.Child("name"), named), "%s does not exist", named)
	}
	return unit.Fragment{}, Parameters{
		ServiceUpstream: found.Spec.ServiceUpstream,
		LegacyRegex:     found.Spec.EnableLegacyRegexDetection,
	}
}
