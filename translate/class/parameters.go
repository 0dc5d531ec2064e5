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

// Parameters are the settings of an IngressClass for all its objects.
type Parameters struct {
	// ServiceUpstream leaves the choice of endpoints to kube-proxy.
	ServiceUpstream bool
	// LegacyRegex treats paths that look like regular expressions as such.
	LegacyRegex bool
}

// Define adds the units of class parameters to a graph. As units, they cause translations only if
// they change.
func Define(g *unit.Graph) {
	unit.Shared(g, Role, unit.IngressClass, parameters)
}

// Use returns the parameters of a class.
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
		return without(unit.At(at.Child("kind")), "the kind is %s, and must be %s of the group %s", ref.Kind, unit.IngressClassParameters, group)
	}
	if ref.Namespace == nil {
		return without(unit.At(at.Child("namespace")), "the namespace of the %s is missing", ref.Kind)
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
