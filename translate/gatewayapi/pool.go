package gatewayapi

import (
	"cmp"
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

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

// Indexes by which the pool is found out; each has one key.
const (
	allGateways unit.Kind = "Gateway of all"
	ownServices unit.Kind = "Service of a Gateway"
)

func indexPool(g *unit.Graph) {
	g.DefineIndex(unit.Index{Name: allGateways, Kind: unit.Gateway,
		Owner: func(unit.Object) (string, string, bool) { return "", "", true }})
	g.DefineIndex(unit.Index{Name: ownServices, Kind: unit.Service,
		Owner: func(o unit.Object) (string, string, bool) { return "", "", Owned(o) }})
}

// poolPort is a port of the Service of a Gateway.
type poolPort struct {
	Service  types.NamespacedName
	Protocol gatewayv1.ProtocolType
	Port     int32
}

// assignments is each part of the pool's unit: Kong's port for each port of a Gateway.
// Those that no port is left for are not in it.
type assignments map[poolPort]int32

// portsOf returns the ports that a Gateway's own Service is assigned.
func portsOf(r *unit.Reader, service types.NamespacedName) assignments {
	assigned, _ := r.UsePart(unit.ID{Role: poolRole}, service.String()).(assignments)
	return assigned
}

// byService are the assignments of each Service, so that one Gateway's ports concern no other.
func (a assignments) byService() map[string]any {
	parts := map[string]any{}
	for port, at := range a {
		of, ok := parts[port.Service.String()].(assignments)
		if !ok {
			of = assignments{}
			parts[port.Service.String()] = of
		}
		of[port] = at
	}
	return parts
}

// pool assigns Kong's ports. A port that is assigned is written in the Gateway's Service,
// and from then on stays; all others are assigned in the order of the Gateways' ages.
func (o Options) pool(_ unit.ID, r *unit.Reader) unit.Fragment {
	wanted := o.poolPorts(r)
	free := newFreePorts(o.Pool)
	assigned := assignments{}
	written := map[poolPort]int32{}
	for _, service := range unit.List[*corev1.Service](r, unit.Key{Kind: ownServices}) {
		for port, at := range writtenPorts(service) {
			written[port] = at
			free.linger(at)
		}
	}
	for _, port := range wanted {
		if at, ok := written[port]; ok && assigned[port] == 0 && free.take(port.Protocol, at) {
			assigned[port] = at
		}
	}
	for _, port := range wanted {
		if _, ok := assigned[port]; ok {
			continue
		}
		if at, ok := free.any(port.Protocol); ok {
			assigned[port] = at
		}
	}
	return unit.Fragment{Parts: assigned.byService(), Entities: portsPlugin(assigned)}
}

// poolPorts are the ports that Gateways want to have assigned, the oldest Gateway first.
// Those that ListenerSets add come last, lest Gateways go without for them.
func (o Options) poolPorts(r *unit.Reader) []poolPort {
	gateways := unit.List[*gatewayv1.Gateway](r, unit.Key{Kind: allGateways})
	slices.SortStableFunc(gateways, func(a, b *gatewayv1.Gateway) int {
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	var own, added []poolPort
	for _, gateway := range gateways {
		if !o.ours(r, gateway).pooled {
			continue
		}
		for _, a := range listenersOf(r, gateway) {
			if port := (poolPort{serviceName(gateway), a.spec.Protocol, a.spec.Port}); !isTrue(a.accepted) {
				continue
			} else if a.of.Kind == unit.Gateway {
				own = append(own, port)
			} else {
				added = append(added, port)
			}
		}
	}
	return append(own, added...)
}

// freePorts are those that are not assigned yet.
type freePorts struct {
	pool Pool
	// taken are assigned. Those that linger are still written in a Service, maybe of a
	// Gateway that is gone: they are assigned last.
	taken, lingering map[int32]bool
}

func newFreePorts(pool Pool) freePorts {
	return freePorts{pool: pool, taken: map[int32]bool{}, lingering: map[int32]bool{}}
}

func (f freePorts) linger(port int32) { f.lingering[port] = true }

func (f freePorts) take(protocol gatewayv1.ProtocolType, port int32) bool {
	if f.taken[port] || !slices.Contains(f.pool[protocol], port) {
		return false
	}
	f.taken[port] = true
	return true
}

func (f freePorts) any(protocol gatewayv1.ProtocolType) (int32, bool) {
	for _, lingering := range []bool{false, true} {
		for _, port := range f.pool[protocol] {
			if f.lingering[port] == lingering && f.take(protocol, port) {
				return port, true
			}
		}
	}
	return 0, false
}

// portsPluginName tells Kong which port of a Gateway its own ones stand for, which is what
// upstreams read in X-Forwarded-Port.
const portsPluginName = "kube-sync-ports"

// mappedPort is one entry of the plugin's configuration.
type mappedPort struct {
	Kong    int32 `json:"kong"`
	Gateway int32 `json:"gateway"`
}

// portsPlugin is for all requests; there is none without a Gateway for HTTP.
func portsPlugin(assigned assignments) []*kong.Entity {
	var ports []mappedPort
	for port, at := range assigned {
		if isHTTP(port.Protocol) {
			ports = append(ports, mappedPort{Kong: at, Gateway: port.Port})
		}
	}
	if len(ports) == 0 {
		return nil
	}
	slices.SortFunc(ports, func(a, b mappedPort) int { return cmp.Compare(a.Kong, b.Kong) })
	config, err := json.Marshal(map[string][]mappedPort{"ports": ports})
	if err != nil {
		panic(err) // numbers
	}
	plugin := kong.Plugin(route.Plugin{Name: portsPluginName, Config: config}, kong.Ref{}, "")
	plugin.Instead = []*kong.Entity{} // a Kong without it serves all the same
	return []*kong.Entity{plugin}
}
