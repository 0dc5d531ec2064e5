package gateway

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Listen is a port that Kong listens at and that is in no pool.
type Listen struct {
	Protocol gatewayv1.ProtocolType
	Port     int32
	// Seen is the port as Kong's router sees it: that of its port_maps if it has one there.
	Seen int32
}

// frontPortsRole is of the unit that finds out which ports the Service in front of Kong has.
const frontPortsRole unit.Role[frontPorts] = "front-ports"

// frontPorts are the ports that clients of Gateways without a Service of their own connect
// to, by protocol, each with the port that Kong's router sees.
type frontPorts map[gatewayv1.ProtocolType]map[int32]int32

// useFrontPorts returns the ports of the Service in front of Kong.
func useFrontPorts(r *unit.Reader) frontPorts {
	return unit.Use(r, frontPortsRole.Of("", ""))
}

// frontPorts finds out which ports of the Services in front of Kong lead to a port at which
// Kong listens for which protocol. Where a Service cannot be read they are the Options'.
func (o Options) frontPorts(r *unit.Reader, _ unit.Key) (unit.Fragment, frontPorts) {
	found, assumed := frontPorts{}, o.assumedPorts()
	datagrams := o.FrontUDP
	if datagrams.Name == "" {
		datagrams = o.Front
	}
	o.findPorts(r, found, o.Front, corev1.ProtocolTCP, assumed)
	o.findPorts(r, found, datagrams, corev1.ProtocolUDP, assumed)
	return unit.Fragment{}, found
}

// findPorts finds those of one Service and transport.
func (o Options) findPorts(r *unit.Reader, found frontPorts, front types.NamespacedName, by corev1.Protocol, assumed frontPorts) {
	service, ok := unit.Get[*corev1.Service](r, unit.Service.Key(front.Namespace, front.Name))
	if front.Name == "" || !ok || len(o.Listens) == 0 {
		for protocol, ports := range assumed {
			if transport(protocol) == by {
				found[protocol] = ports
			}
		}
		return
	}
	for _, p := range service.Spec.Ports {
		if p.Protocol != by {
			continue
		}
		targets := targets(r, front, p)
		for _, l := range o.Listens {
			if slices.Contains(targets, l.Port) && transport(l.Protocol) == by {
				found.add(l.Protocol, p.Port, l.Seen)
			}
		}
		for protocol, ports := range assumed {
			// No endpoint says yet which number the name of the port is for.
			if seen, ok := ports[p.Port]; ok && len(targets) == 0 && transport(protocol) == by {
				found.add(protocol, p.Port, seen)
			}
		}
	}
}

func (f frontPorts) add(protocol gatewayv1.ProtocolType, port, seen int32) {
	if f[protocol] == nil {
		f[protocol] = map[int32]int32{}
	}
	f[protocol][port] = seen
}

// targets are the ports of Kong that a port of a Service leads to.
func targets(r *unit.Reader, front types.NamespacedName, p corev1.ServicePort) (ports []int32) {
	if p.TargetPort.StrVal == "" {
		return []int32{p.TargetPort.IntVal}
	}
	for _, slice := range backend.Slices(r, front.Namespace, front.Name) {
		if port, ok := backend.SlicePort(slice, p.Name); ok && !slices.Contains(ports, int32(port)) {
			ports = append(ports, int32(port))
		}
	}
	return ports
}

func transport(protocol gatewayv1.ProtocolType) corev1.Protocol {
	if protocol == gatewayv1.UDPProtocolType {
		return corev1.ProtocolUDP
	}
	return corev1.ProtocolTCP
}

// assumedPorts are those of the Options.
func (o Options) assumedPorts() frontPorts {
	found := frontPorts{}
	for protocol, ports := range o.Ports {
		for _, port := range ports {
			found.add(protocol, port, port)
		}
	}
	return found
}

// of is the port that Kong's router sees of a listener, 0 for requests, which may come by any
// port, or why there is none.
func (f frontPorts) of(l gatewayv1.Listener) (int32, *condition.Diagnosis) {
	seen, ok := f[l.Protocol][l.Port]
	switch {
	case !ok:
		c := listenerPortUnavailable(l.Protocol, l.Port, slices.Sorted(maps.Keys(f[l.Protocol])))
		return 0, &c
	case isHTTP(l.Protocol):
		return 0, nil
	}
	return seen, nil
}
