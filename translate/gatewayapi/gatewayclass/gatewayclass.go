package gatewayclass

import (
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Annotations are the annotations that the Kong Ingress Controller reads on GatewayClasses.
var Annotations = []string{annotation.GatewayClassUnmanaged}

// Options are settings of the operator.
type Options struct {
	// Controller is the controllerName of the GatewayClasses that belong to this controller.
	Controller string
	// Gateway is the only Gateway served; all Gateways of our classes are if its name is empty.
	Gateway types.NamespacedName
	// Ports are the ports of the Service in front of Kong, by protocol, for when the Service
	// cannot be read. Gateways that share this Service are reached through them.
	Ports map[gatewayv1.ProtocolType][]int32
	// Pool holds the ports for Gateways with a Service of their own. There are no such
	// Gateways if it is empty or Gateway names the only Gateway.
	Pool Pool
	// Relay is whether there is a relay, which some features need.
	Relay bool
}

// Define adds the units of GatewayClasses to a graph.
func Define(g *unit.Graph, o Options) {
	unit.Each(g, role, unit.GatewayClass, o.class)
}

const role unit.Role[Class] = "gatewayclass"

// Class is the value of a GatewayClass's unit.
type Class struct {
	Ours bool
	// Pooled is whether each Gateway of the class has a Service of its own, with ports of the pool.
	Pooled bool
}

// class translates a GatewayClass.
func (o Options) class(r *unit.Reader, key unit.Key, class *gatewayv1.GatewayClass) (unit.Fragment, Class) {
	if string(class.Spec.ControllerName) != o.Controller {
		return unit.Fragment{}, Class{}
	}
	if class.Spec.ParametersRef != nil {
		return unit.Fragment{Status: newStatus(class, nil, supportedVersion(r, invalidParameters())...)}, Class{}
	}
	found := Class{Ours: true, Pooled: len(o.Pool) > 0 && o.Gateway.Name == "" && annotation.Of(class, key).Text(annotation.GatewayClassUnmanaged, "") == ""}
	var reported []gatewayv1.SupportedFeature
	if listsFeatures(r) {
		reported = o.featuresOf(found)
	}
	return unit.Fragment{Status: newStatus(class, reported, supportedVersion(r, accepted())...),
		Verdicts: annotation.Ignored(class, key, Annotations...)}, found
}

// supportedVersion appends the condition SupportedVersion: whether the installed version of Gateway
// API is a supported one. It is left out where the version is unknown.
func supportedVersion(r *unit.Reader, conditions ...condition.Diagnosis) []condition.Diagnosis {
	installed := installedVersion(r)
	if installed == "" {
		return conditions
	}
	return append(conditions, supportedVersionCondition(Supported(installed), installed))
}

// Supported reports whether a release of Gateway API, such as "v1.6.3", is a supported one.
func Supported(release string) bool {
	at, ok := minor(release)
	newest, _ := minor(consts.BundleVersion)
	return ok && at >= oldestMinor && at <= newest
}

// oldestMinor is the minor version of the oldest supported release of Gateway API 1.
const oldestMinor = 1

// minor returns the minor version of a release of Gateway API 1: 6 for "v1.6.3".
func minor(version string) (int, bool) {
	rest, ok := strings.CutPrefix(version, "v1.")
	number, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(number)
	return n, ok && err == nil
}

// listsFeatures reports whether the installed definition stores features as objects. Up to 1.1 they
// are strings, and the API server would reject the whole status.
func listsFeatures(r *unit.Reader) bool {
	at, ok := minor(installedVersion(r))
	return !ok || at >= 2
}

// installedVersion returns the version of the installed Gateway API; "" if it is unknown.
func installedVersion(r *unit.Reader) string {
	definition, _ := unit.Get[*metav1.PartialObjectMetadata](r,
		unit.CustomResourceDefinition.Key("", "gatewayclasses."+gatewayv1.GroupName))
	if definition == nil {
		return ""
	}
	return definition.Annotations[consts.BundleVersionAnnotation]
}

// ClassOf returns the class of a Gateway; the zero Class if this controller does not serve it.
func (o Options) ClassOf(r *unit.Reader, gateway *gatewayv1.Gateway) Class {
	if o.Gateway.Name != "" && (gateway.Name != o.Gateway.Name || gateway.Namespace != o.Gateway.Namespace) {
		return Class{}
	}
	return unit.Use(r, role.Of("", string(gateway.Spec.GatewayClassName)))
}

// DefaultController is the controllerName of the Kong Ingress Controller.
const DefaultController = "konghq.com/kic-gateway-controller"

// Pool holds the ports at which Kong listens for Gateways with a Service of their own, by
// protocol. Each port of such a Gateway is assigned one, so that different Gateways receive
// traffic at different ports of Kong.
type Pool map[gatewayv1.ProtocolType][]int32

// Has reports whether a port belongs to the pool.
func (p Pool) Has(port int) bool {
	for _, ports := range p {
		if slices.Contains(ports, int32(port)) {
			return true
		}
	}
	return false
}
