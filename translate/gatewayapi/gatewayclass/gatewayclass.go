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

// Annotations are those that the Kong Ingress Controller reads on GatewayClasses.
var Annotations = []string{annotation.GatewayClassUnmanaged}

// Options are settings of the operator.
type Options struct {
	// Controller is the controllerName of the GatewayClasses that are ours.
	Controller string
	// Gateway is the only one that is served; all of our classes if its name is empty.
	Gateway types.NamespacedName
	// Ports are those of the Service in front of Kong, by protocol, where that cannot be read.
	// Gateways without a Service of their own are reached by it.
	Ports map[gatewayv1.ProtocolType][]int32
	// Pool has the ports for Gateways with a Service of their own. Without any, or with
	// one Gateway alone, there are no such Gateways.
	Pool Pool
	// Relay reports that there is a relay, which some features need.
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
	// Pooled gives each Gateway of the class a Service of its own.
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
	var claimed []gatewayv1.SupportedFeature
	if claims(r) {
		claimed = o.featuresOf(found)
	}
	return unit.Fragment{Status: newStatus(class, claimed, supportedVersion(r, accepted())...),
		Verdicts: annotation.Ignored(class, key, Annotations...)}, found
}

// supportedVersion adds to conditions whether we know the version of Gateway API that is installed. Others are served as
// well as can be. Where we may not read definitions there is nothing to say.
func supportedVersion(r *unit.Reader, conditions ...condition.Diagnosis) []condition.Diagnosis {
	installed := installedVersion(r)
	if installed == "" {
		return conditions
	}
	at, ok := minor(installed)
	newest, _ := minor(consts.BundleVersion)
	return append(conditions, supportedVersionCondition(ok && at >= oldestMinor && at <= newest, installed))
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

// ClassOf tells whether a Gateway is for us to serve, and how.
func (o Options) ClassOf(r *unit.Reader, gateway *gatewayv1.Gateway) Class {
	if o.Gateway.Name != "" && (gateway.Name != o.Gateway.Name || gateway.Namespace != o.Gateway.Namespace) {
		return Class{}
	}
	return unit.Use(r, role.Of("", string(gateway.Spec.GatewayClassName)))
}

// DefaultController is the Kong Ingress Controller's.
const DefaultController = "konghq.com/kic-gateway-controller"

// Pool are ports at which Kong listens for Gateways, by protocol. Each port of a Gateway
// that has a Service of its own is assigned one, so that what comes to different Gateways
// comes to different ports of Kong.
type Pool map[gatewayv1.ProtocolType][]int32

// Has tells whether a port is one of them.
func (p Pool) Has(port int) bool {
	for _, ports := range p {
		if slices.Contains(ports, int32(port)) {
			return true
		}
	}
	return false
}
