package gatewayapi

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// classFound is the value of a GatewayClass's unit.
type classFound struct {
	ours bool
	// pooled gives each Gateway of the class a Service of its own.
	pooled bool
}

// class translates a GatewayClass.
func (o Options) class(id unit.ID, r *unit.Reader) unit.Fragment {
	key := unit.Key{Kind: unit.GatewayClass, Name: id.Name}
	class, ok := unit.Get[*gatewayv1.GatewayClass](r, key)
	if !ok || string(class.Spec.ControllerName) != o.Controller {
		return unit.Fragment{Value: classFound{}}
	}
	if class.Spec.ParametersRef != nil {
		return unit.Fragment{Value: classFound{}, Status: newClassStatus(class, nil, supportedVersion(r, classInvalidParameters())...)}
	}
	found := classFound{ours: true, pooled: len(o.Pool) > 0 && o.Gateway.Name == "" && annotation.Of(class, key).Text(annotation.GatewayClassUnmanaged, "") == ""}
	return unit.Fragment{Value: found, Status: newClassStatus(class, o.featuresOf(found), supportedVersion(r, classAccepted())...),
		Verdicts: annotation.Ignored(class, key, ClassAnnotations...)}
}

// supportedVersion adds to conditions whether we know the version of Gateway API that is installed. Others are served as
// well as can be. Where we may not read definitions there is nothing to say.
func supportedVersion(r *unit.Reader, conditions ...metav1.Condition) []metav1.Condition {
	definition, ok := unit.Get[*metav1.PartialObjectMetadata](r,
		unit.Key{Kind: unit.CustomResourceDefinition, Name: "gatewayclasses." + gatewayv1.GroupName})
	if !ok {
		return conditions
	}
	installed := definition.Annotations[consts.BundleVersionAnnotation]
	return append(conditions, classSupportedVersion(minor(installed) == minor(consts.BundleVersion), installed))
}

// minor is a version without its patch: "v1.6" of "v1.6.3".
func minor(version string) string {
	major, rest, _ := strings.Cut(version, ".")
	number, _, _ := strings.Cut(rest, ".")
	return major + "." + number
}

// ours tells whether a Gateway is for us to serve, and how.
func (o Options) ours(r *unit.Reader, gateway *gatewayv1.Gateway) classFound {
	if o.Gateway.Name != "" && (gateway.Name != o.Gateway.Name || gateway.Namespace != o.Gateway.Namespace) {
		return classFound{}
	}
	found, _ := r.Use(unit.ID{Role: classRole, Name: string(gateway.Spec.GatewayClassName)}).(classFound)
	return found
}
