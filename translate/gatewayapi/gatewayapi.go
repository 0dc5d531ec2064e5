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
	classRole        unit.Role[classFound] = "gatewayclass"
	gatewayRole      unit.Role[*served]    = "gateway"
	listenerSetRole  unit.Role[*served]    = "listenerset"
	xListenerSetRole unit.Role[*served]    = "xlistenerset"
	httpRole         unit.Role[unit.None]  = "httproute"
	grpcRole         unit.Role[unit.None]  = "grpcroute"

	poolRole   unit.Role[unit.None] = "gateway-ports"
	mergedRole unit.Role[*merged]   = "gateway-listeners"

	backendTLSRole unit.Role[backendTLS] = "backend-tls-policy"
)

// Define adds the units of Gateway API to a graph.
func Define(g *unit.Graph, o Options) {
	o.Controller = o.ControllerName()
	ports := maps.Clone(defaultPorts)
	maps.Copy(ports, o.Ports)
	o.Ports = ports
	unit.Each(g, classRole, unit.GatewayClass, o.class)
	unit.Each(g, gatewayRole, unit.Gateway, o.gateway)
	for _, k := range setKinds {
		unit.Each(g, k.role, k.kind, o.listenerSet)
	}
	unit.Shared(g, mergedRole, unit.Gateway, o.merge)
	unit.SharedOwner(g, poolRole, owned.Ports.Kind, o.pool)
	unit.Shared(g, frontPortsRole, unit.Service, o.frontPorts)
	unit.DefineIndex(g, allGateways, unit.Gateway, func(unit.Object) []unit.None { return []unit.None{{}} })
	indexListenerSets(g)
	unit.Shared(g, frontendRole, unit.GatewayClass, o.frontends)
	unit.Each(g, backendTLSRole, unit.BackendTLSPolicy, o.backendTLSPolicy).OnPanic(func(unit.Key) backendTLS {
		return backendTLS{Wrong: "it could not be translated"}
	})
	indexPolicies(g)
	unit.Each(g, httpRole, unit.HTTPRoute, unit.Valueless(o.httpRoute))
	unit.Each(g, grpcRole, unit.GRPCRoute, unit.Valueless(o.grpcRoute))
	for kind, d := range requestRoutes {
		plugin.DefineExtensible(g, kind, extensions, isAttached)
		unit.SharedBy(g, d.rule, kind, func(r *unit.Reader, key unit.Key, of ruleOfHost) (unit.Fragment, ruleBackends) {
			return o.rule(d, key, of, r)
		}).OnPanic(func(unit.Key, ruleOfHost) ruleBackends { return d.closed() })
		unit.SharedBy(g, d.backends, kind, func(r *unit.Reader, key unit.Key, rule ruleIndex) (unit.Fragment, *references) {
			return o.references(d, key, int(rule), r)
		})
	}
	o.defineStreams(g)
	unit.Shared(g, unimplementedRole, "", o.unimplemented)
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
