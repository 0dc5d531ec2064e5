package gateway

import (
	"cmp"
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gatewayclass"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// allGateways is the index that lists all Gateways.
const allGateways unit.Index[unit.None] = "Gateway of all"

// poolPort is a port of the Service of a Gateway.
type poolPort struct {
	Service  types.NamespacedName
	Protocol gatewayv1.ProtocolType
	Port     int32
}

// assignments are Kong's ports for ports of Gateways. Ports that got none are missing.
type assignments map[poolPort]int32

// ownPortsOf is the part of the pool's unit for one Service.
type ownPortsOf struct {
	unit.PartOf[ownPorts]
	service types.NamespacedName
}

// ownPorts are the ports assigned to the Service of one Gateway.
type ownPorts struct {
	assigned assignments
	// beyond are the ports that exceed the share of a namespace.
	beyond map[poolPort]bool
}

// portsOf returns the ports assigned to a Gateway's own Service.
func portsOf(r *unit.Reader, service types.NamespacedName) ownPorts {
	own, _ := unit.UsePart(r, poolRole.Of("", ""), ownPortsOf{service: service})
	return own
}

// pool assigns Kong's ports: recorded ones first, then the rest, the oldest Gateway first. It trusts
// the record and not the Services, which tenants can write.
func (o Options) pool(r *unit.Reader, _ unit.Key) (unit.Fragment, unit.None) {
	recorded := o.recorded(r)
	p := pooling{options: o, recorded: recorded, assigned: assignments{}, beyond: map[poolPort]bool{},
		taken: map[int32]bool{}, shares: map[portShare]int{}}
	wanted := o.wantedPorts(r)
	for _, w := range wanted {
		if at, ok := recorded.of(w.poolPort); ok && slices.Contains(o.Pool[w.Protocol], at) {
			p.assign(w, at)
		}
	}
	for _, w := range wanted {
		p.assign(w, 0)
	}
	fragment := unit.Fragment{Entities: portsPlugin(p.assigned)}
	for service, own := range p.byService() {
		unit.SetPart(&fragment, ownPortsOf{service: service}, own)
	}
	if record := o.record(recorded, p.assigned); record != nil {
		fragment.Objects = []unit.Object{record}
	}
	return fragment, unit.None{}
}

// wantedPort is a port and the namespace whose share it counts against: the namespace of the object
// with the listener, which may be a ListenerSet of another namespace.
type wantedPort struct {
	poolPort
	namespace string
}

// wantedPorts returns the ports that Gateways need, the oldest Gateway first. Ports of ListenerSets
// come last, so that they cannot take the place of Gateways' ports.
func (o Options) wantedPorts(r *unit.Reader) []wantedPort {
	gateways := unit.List[*gatewayv1.Gateway](r, allGateways, unit.None{})
	slices.SortStableFunc(gateways, func(a, b *gatewayv1.Gateway) int {
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	var own, added []wantedPort
	for _, gateway := range gateways {
		if !o.ClassOf(r, gateway).Pooled {
			continue
		}
		for _, a := range listenersOf(r, gateway) {
			if !condition.IsTrue(a.accepted) {
				continue
			}
			w := wantedPort{poolPort{serviceName(gateway), a.spec.Protocol, a.spec.Port}, a.of.Namespace}
			if a.of.Kind == unit.Gateway {
				own = append(own, w)
			} else {
				added = append(added, w)
			}
		}
	}
	return append(own, added...)
}

// portShare identifies a namespace's share of the ports for one protocol.
type portShare struct {
	namespace string
	protocol  gatewayv1.ProtocolType
}

// pooling is the state of assigning ports.
type pooling struct {
	options  Options
	recorded portRecord
	assigned assignments
	beyond   map[poolPort]bool
	taken    map[int32]bool
	shares   map[portShare]int
}

// assign assigns a port of Kong to a wanted port that has none: at, or any free one if that is 0.
func (p *pooling) assign(w wantedPort, at int32) {
	if p.assigned[w.poolPort] != 0 || p.taken[at] {
		return
	}
	of := portShare{w.namespace, w.Protocol}
	if limit.Exceeds(p.shares[of]+1, p.options.namespacePorts(w.Protocol)) {
		p.beyond[w.poolPort] = true
		return
	}
	if at == 0 {
		if at = p.free(w.Protocol); at == 0 {
			return
		}
	}
	p.shares[of]++
	p.taken[at], p.assigned[w.poolPort] = true, at
	delete(p.beyond, w.poolPort) // another namespace's share may have been exceeded
}

// free returns a port of Kong that is not assigned; 0 if there is none. Ports that are still recorded
// for a Gateway come last: its Service may target them for a while.
func (p *pooling) free(protocol gatewayv1.ProtocolType) int32 {
	for _, recorded := range []bool{false, true} {
		for _, port := range p.options.Pool[protocol] {
			if !p.taken[port] && p.recorded.has(port) == recorded {
				return port
			}
		}
	}
	return 0
}

// namespacePorts returns the number of ports for a protocol that one namespace may have.
func (o Options) namespacePorts(protocol gatewayv1.ProtocolType) int {
	if o.NamespacePorts == 0 {
		return (len(o.Pool[protocol]) + 1) / 2
	}
	return o.NamespacePorts
}

// byService returns the assignments of each Service.
func (p *pooling) byService() map[types.NamespacedName]ownPorts {
	all := map[types.NamespacedName]ownPorts{}
	of := func(port poolPort) ownPorts {
		own, ok := all[port.Service]
		if !ok {
			own = ownPorts{assignments{}, map[poolPort]bool{}}
			all[port.Service] = own
		}
		return own
	}
	for port, at := range p.assigned {
		of(port).assigned[port] = at
	}
	for port := range p.beyond {
		of(port).beyond[port] = true
	}
	return all
}

// portsPluginName is the plugin that maps Kong's ports to the ports of Gateways. Backends see the
// latter in X-Forwarded-Port.
const portsPluginName = "kube-sync-ports"

// mappedPort is one entry of the plugin's configuration.
type mappedPort struct {
	Kong    int32 `json:"kong"`
	Gateway int32 `json:"gateway"`
}

// portsPlugin returns the global plugin; none if no Gateway has a port for HTTP or HTTPS.
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
		panic(err) // not possible: there are only numbers
	}
	plugin := kong.Plugin(route.Plugin{Name: portsPluginName, Config: config}, kong.Ref{}, "")
	plugin.Instead = []*kong.Entity{} // a Kong that refuses it serves without it
	return []*kong.Entity{plugin}
}

// ports are the ports of Kong for a Gateway's listeners.
type ports struct {
	options Options
	// service is the Gateway's own Service; empty if it has none.
	service types.NamespacedName
	own     ownPorts
	// front are the ports of the Service in front of Kong.
	front frontPorts
}

func (o Options) ports(r *unit.Reader, gateway *gatewayv1.Gateway, class gatewayclass.Class) ports {
	if !class.Pooled {
		return ports{options: o, front: useFrontPorts(r)}
	}
	return ports{options: o, service: serviceName(gateway), own: portsOf(r, serviceName(gateway))}
}

// of returns the port of Kong for a listener, or why there is none; 0 if requests may arrive at any
// port.
func (p ports) of(l gatewayv1.Listener) (int32, *condition.Diagnosis) {
	switch {
	case p.service.Name != "":
	case !p.options.AnyPort:
		return p.front.of(l)
	case isHTTP(l.Protocol):
		return 0, nil
	default:
		return l.Port, nil
	}
	port := poolPort{p.service, l.Protocol, l.Port}
	at, ok := p.own.assigned[port]
	switch {
	case p.own.beyond[port]:
		c := listenerBeyondShare(l.Protocol, p.options.namespacePorts(l.Protocol))
		return 0, &c
	case !ok:
		c := listenerPoolExhausted(l.Protocol, len(p.options.Pool[l.Protocol]))
		return 0, &c
	}
	return at, nil
}
