package gatewayapi

import (
	"strconv"
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
func (o Options) class(r *unit.Reader, key unit.Key, class *gatewayv1.GatewayClass) (unit.Fragment, classFound) {
	if string(class.Spec.ControllerName) != o.Controller {
		return unit.Fragment{}, classFound{}
	}
	if class.Spec.ParametersRef != nil {
		return unit.Fragment{Status: newClassStatus(class, nil, supportedVersion(r, classInvalidParameters())...)}, classFound{}
	}
	found := classFound{ours: true, pooled: len(o.Pool) > 0 && o.Gateway.Name == "" && annotation.Of(class, key).Text(annotation.GatewayClassUnmanaged, "") == ""}
	var claimed []gatewayv1.SupportedFeature
	if claims(r) {
		claimed = o.featuresOf(found)
	}
	return unit.Fragment{Status: newClassStatus(class, claimed, supportedVersion(r, classAccepted())...),
		Verdicts: annotation.Ignored(class, key, ClassAnnotations...)}, found
}

// supportedVersion adds to conditions whether we know the version of Gateway API that is installed. Others are served as
// well as can be. Where we may not read definitions there is nothing to say.
func supportedVersion(r *unit.Reader, conditions ...diagnosis) []diagnosis {
	installed := installedVersion(r)
	if installed == "" {
		return conditions
	}
	at, ok := minor(installed)
	newest, _ := minor(consts.BundleVersion)
	return append(conditions, classSupportedVersion(ok && at >= oldestMinor && at <= newest, installed))
}

// oldestMinor is that of the oldest release of Gateway API 1 whose definitions are supported.
const oldestMinor = 1

// minor is the second number of a version of Gateway API 1: 6 of "v1.6.3".
func minor(version string) (int, bool) {
	rest, ok := strings.CutPrefix(version, "v1.")
	number, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(number)
	return n, ok && err == nil
}

// claims reports whether the installed definitions let a class list its features as objects.
// Up to 1.1 they are strings there, and the whole status would be refused.
func claims(r *unit.Reader) bool {
	at, ok := minor(installedVersion(r))
	return !ok || at >= 2
}

// installedVersion is that of the definition of GatewayClasses; "" where it is not known.
func installedVersion(r *unit.Reader) string {
	definition, _ := unit.Get[*metav1.PartialObjectMetadata](r,
		unit.CustomResourceDefinition.Key("", "gatewayclasses."+gatewayv1.GroupName))
	if definition == nil {
		return ""
	}
	return definition.Annotations[consts.BundleVersionAnnotation]
}

// ours tells whether a Gateway is for us to serve, and how.
func (o Options) ours(r *unit.Reader, gateway *gatewayv1.Gateway) classFound {
	if o.Gateway.Name != "" && (gateway.Name != o.Gateway.Name || gateway.Namespace != o.Gateway.Namespace) {
		return classFound{}
	}
	return unit.Use(r, classRole.Of("", string(gateway.Spec.GatewayClassName)))
}
