package gatewayapi

import (
	"cmp"
	"maps"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// DefaultController is the Kong Ingress Controller's.
const DefaultController = "konghq.com/kic-gateway-controller"

// Options are settings of the operator.
type Options struct {
	// Controller is the controllerName of the GatewayClasses that are ours.
	Controller string
	// Gateway is the only one that is served; all of our classes if its name is empty.
	Gateway types.NamespacedName
	// Ports are those of the Service in front of Kong, by protocol, where that cannot be
	// read: 80 and 443 for requests where they are not given. Gateways without a Service of
	// their own are reached by it.
	Ports map[gatewayv1.ProtocolType][]int32
	// Listens are the ports of Kong that it may lead to.
	Listens []Listen
	// AnyPort takes any port of such Gateways: nothing is known of the Service.
	AnyPort bool
	// Pool has the ports for Gateways with a Service of their own. Without any, or with
	// one Gateway alone, there are no such Gateways.
	Pool Pool
	// NamespacePorts is how many ports of the pool one namespace has for each protocol: 0 for half
	// of them, limit.Unlimited for all.
	NamespacePorts int
	// Front is the Service in front of Kong, whose endpoints are those of all Gateways.
	Front types.NamespacedName
	// FrontUDP is the one for datagrams, if that is another.
	FrontUDP types.NamespacedName
	// Relay does what Kong cannot.
	Relay Relay
	// Backend says which endpoints are taken.
	Backend backend.Options
	// LastResort are the namespaces whose Gateways may choose the certificate for all hosts.
	LastResort certificate.LastResort
	// Isolated keeps the hosts of namespaces apart.
	Isolated bool
}

// defaultPorts are those of the Service in front of Kong.
var defaultPorts = map[gatewayv1.ProtocolType][]int32{
	gatewayv1.HTTPProtocolType:  {80},
	gatewayv1.HTTPSProtocolType: {443},
}

// The roles of the units.
const (
	classRole        unit.Role = "gatewayclass"
	gatewayRole      unit.Role = "gateway"
	listenerSetRole  unit.Role = "listenerset"
	xListenerSetRole unit.Role = "xlistenerset"
	httpRole         unit.Role = "httproute"
	grpcRole         unit.Role = "grpcroute"
	tlsRole          unit.Role = "tlsroute"
	tcpRole          unit.Role = "tcproute"
	udpRole          unit.Role = "udproute"

	httpRuleRole unit.Role = "httproute-rule"
	grpcRuleRole unit.Role = "grpcroute-rule"
	tlsRuleRole  unit.Role = "tlsroute-rule"
	tcpRuleRole  unit.Role = "tcproute-rule"
	udpRuleRole  unit.Role = "udproute-rule"
	poolRole     unit.Role = "gateway-ports"
	mergedRole   unit.Role = "gateway-listeners"

	backendTLSRole unit.Role = "backend-tls-policy"
)

// Define adds the units of Gateway API to a graph.
func Define(g *unit.Graph, o Options) {
	o.Controller = o.ControllerName()
	ports := maps.Clone(defaultPorts)
	maps.Copy(ports, o.Ports)
	o.Ports = ports
	g.Define(unit.Definition{Role: classRole, Kind: unit.GatewayClass, EachObject: true, Translate: o.class})
	g.Define(unit.Definition{Role: gatewayRole, Kind: unit.Gateway, EachObject: true, Translate: o.gateway})
	for _, k := range setKinds {
		g.Define(unit.Definition{Role: k.role, Kind: k.kind, EachObject: true,
			Translate: func(id unit.ID, r *unit.Reader) unit.Fragment { return o.listenerSet(k.kind, id, r) }})
	}
	g.Define(unit.Definition{Role: mergedRole, Kind: unit.Gateway, Translate: o.merge})
	g.Define(unit.Definition{Role: poolRole, Kind: owned.Ports.Kind, Owns: true, Translate: o.pool})
	g.Define(unit.Definition{Role: frontPortsRole, Kind: unit.Service, Translate: o.frontPorts})
	indexPool(g)
	indexListenerSets(g)
	g.Define(unit.Definition{Role: frontendRole, Kind: unit.GatewayClass, Translate: o.frontends})
	g.Define(unit.Definition{Role: backendTLSRole, Kind: unit.BackendTLSPolicy, EachObject: true, Translate: o.backendTLSPolicy})
	indexPolicies(g)
	g.Define(unit.Definition{Role: httpRole, Kind: unit.HTTPRoute, EachObject: true, Translate: o.httpRoute})
	g.Define(unit.Definition{Role: grpcRole, Kind: unit.GRPCRoute, EachObject: true, Translate: o.grpcRoute})
	for kind, d := range requestRoutes {
		plugin.DefineExtensible(g, kind, extensions, isAttached)
		g.Define(unit.Definition{Role: d.rule, Kind: kind,
			Translate: func(id unit.ID, r *unit.Reader) unit.Fragment { return o.rule(d, id, r) }})
	}
	o.defineStreams(g)
	g.Define(unit.Definition{Role: unimplementedRole, Translate: o.unimplemented})
}

// ControllerName is what statuses call us.
func (o Options) ControllerName() string { return cmp.Or(o.Controller, DefaultController) }

// value is what a pointer points to, or the default.
func value[T any](pointer *T, unset T) T {
	if pointer == nil {
		return unset
	}
	return *pointer
}
