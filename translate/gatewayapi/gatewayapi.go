package gatewayapi

import (
	"cmp"
	"maps"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendref"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendtlspolicy"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gateway"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gatewayclass"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/routes"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// DefaultController is the controllerName of the Kong Ingress Controller.
const DefaultController = gatewayclass.DefaultController

// ClassAnnotations and GatewayAnnotations are the annotations that the Kong Ingress Controller
// reads on GatewayClasses and Gateways.
var (
	ClassAnnotations   = gatewayclass.Annotations
	GatewayAnnotations = gateway.Annotations
)

// The types of settings in [Options].
type (
	Relay  = backendref.Relay
	Pool   = gatewayclass.Pool
	Listen = gateway.Listen
)

// Features returns the features that a GatewayClass reports if Kong has ports for every protocol,
// sorted by name. The conformance suite tests these.
func Features() []gatewayv1.SupportedFeature { return gatewayclass.Features() }

// Options are settings of the operator.
type Options struct {
	// Controller is the controllerName of the GatewayClasses that belong to this controller.
	Controller string
	// Gateway is the only Gateway served; all Gateways of our classes are if its name is empty.
	Gateway types.NamespacedName
	// Ports are the ports of the Service in front of Kong, by protocol, for when the Service
	// cannot be read. HTTP defaults to 80 and HTTPS to 443. Gateways that share this Service
	// are reached through them.
	Ports map[gatewayv1.ProtocolType][]int32
	// Listens are the ports of Kong that the Service may target.
	Listens []Listen
	// AnyPort accepts any listener port on such Gateways: nothing is known about the Service.
	AnyPort bool
	// Pool holds the ports for Gateways with a Service of their own. There are no such
	// Gateways if it is empty or Gateway names the only Gateway.
	Pool Pool
	// NamespacePorts limits the ports of the pool that one namespace gets for each protocol:
	// 0 for half of them, limit.Unlimited for all.
	NamespacePorts int
	// Front is the Service in front of Kong; its endpoints serve all Gateways.
	Front types.NamespacedName
	// FrontUDP is the Service for UDP, if it is another one.
	FrontUDP types.NamespacedName
	// Relay does what Kong cannot.
	Relay Relay
	// Backend says which endpoints are accepted.
	Backend backend.Options
	// LastResort are the namespaces whose Gateways may choose the certificate for all hosts.
	LastResort certificate.LastResort
	// Isolated keeps the hosts of namespaces apart.
	Isolated bool
}

// defaultPorts are the ports of the Service in front of Kong.
var defaultPorts = map[gatewayv1.ProtocolType][]int32{
	gatewayv1.HTTPProtocolType:  {80},
	gatewayv1.HTTPSProtocolType: {443},
}

// Define adds the units of Gateway API to a graph.
func Define(g *unit.Graph, o Options) {
	o.Controller = o.ControllerName()
	ports := maps.Clone(defaultPorts)
	maps.Copy(ports, o.Ports)
	o.Ports = ports
	classes := gatewayclass.Options{Controller: o.Controller, Gateway: o.Gateway, Ports: o.Ports, Pool: o.Pool, Relay: o.Relay.Address.IsValid()}
	gatewayclass.Define(g, classes)
	gateway.Define(g, gateway.Options{Options: classes, Listens: o.Listens, AnyPort: o.AnyPort, NamespacePorts: o.NamespacePorts,
		Front: o.Front, FrontUDP: o.FrontUDP, LastResort: o.LastResort, Isolated: o.Isolated})
	backendtlspolicy.Define(g, backendtlspolicy.Options{Controller: o.Controller, Relay: o.Relay.Address.IsValid()})
	backendref.Define(g, backendref.Options{Relay: o.Relay, Backend: o.Backend})
	routes.Define(g, routes.Options{Controller: o.Controller, Relay: o.Relay, Isolated: o.Isolated})
}

// ControllerName returns the controllerName for statuses.
func (o Options) ControllerName() string { return cmp.Or(o.Controller, DefaultController) }
