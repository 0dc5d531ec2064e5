package gateway

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gatewayclass"
	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Annotations are the annotations that the Kong Ingress Controller reads on Gateways.
var Annotations = []string{annotation.PublishService}

// Options are settings of the operator.
type Options struct {
	gatewayclass.Options
	// Listens are the ports of Kong that the Service in front of it may target.
	Listens []Listen
	// AnyPort accepts any listener port on Gateways without a Service of their own: nothing is
	// known about the Service in front of Kong.
	AnyPort bool
	// NamespacePorts limits the ports of the pool that one namespace gets for each protocol: 0 for
	// half of them, limit.Unlimited for all.
	NamespacePorts int
	// Front is the Service in front of Kong; its endpoints serve all Gateways.
	Front types.NamespacedName
	// FrontUDP is the Service for UDP, if it is another one.
	FrontUDP types.NamespacedName
	// LastResort are the namespaces whose Gateways may choose the certificate for all hosts.
	LastResort certificate.LastResort
	// Isolated keeps the hosts of namespaces apart.
	Isolated bool
}

// The roles of the units.
const (
	gatewayRole      unit.Role[*Served]   = "gateway"
	listenerSetRole  unit.Role[*Served]   = "listenerset"
	xListenerSetRole unit.Role[*Served]   = "xlistenerset"
	poolRole         unit.Role[unit.None] = "gateway-ports"
	mergedRole       unit.Role[*merged]   = "gateway-listeners"
)

// Define adds the units of Gateways and ListenerSets to a graph.
func Define(g *unit.Graph, o Options) {
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
}

// Roles are the roles of the units of the kinds that routes can name as parents.
var Roles = map[unit.Kind]unit.Role[*Served]{
	unit.Gateway: gatewayRole, unit.ListenerSet: listenerSetRole, unit.XListenerSet: xListenerSetRole}
