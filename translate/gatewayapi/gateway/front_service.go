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

// Listen is a port at which Kong listens and that is not in the pool.
type Listen struct {
	Protocol gatewayv1.ProtocolType
	Port     int32
	// Seen is the port in Kong's router: the mapped one if Kong's port_maps has the port.
	Seen int32
}

// frontPortsRole is the role of the unit that finds the ports of the Service in front of Kong.
const frontPortsRole unit.Role[frontPorts] = "front-ports"

// frontPorts are the ports to which clients of Gateways without a Service of their own connect, by
// protocol, each with its port in Kong's router.
type frontPorts map[gatewayv1.ProtocolType]map[int32]int32

// useFrontPorts returns the ports of the Service in front of Kong.
func useFrontPorts(r *unit.Reader) frontPorts {
	return unit.Use(r, frontPortsRole.Of("", ""))
}

// frontPorts finds the ports of the Services in front of Kong that target a port at which Kong
// listens, by protocol. If a Service cannot be read, it returns the ports of the Options.
func (o Options) frontPorts(r *unit.Reader, _ unit.Key) (unit.Fragment, frontPorts) {
	found, assumed := frontPorts{}, o.assumedPorts()
	udp := o.FrontUDP
	if udp.Name == "" {
		udp = o.Front
	}
	o.findPorts(r, found, o.Front, corev1.ProtocolTCP, assumed)
	o.findPorts(r, found, udp, corev1.ProtocolUDP, assumed)
	return unit.Fragment{}, found
}

// findPorts adds the ports of one Service and transport protocol to found.
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
			// The target port is a name, and no endpoint says yet which number it has.
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

// targets returns the ports of Kong that a port of a Service targets.
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

// assumedPorts returns the ports of the Options.
func (o Options) assumedPorts() frontPorts {
	found := frontPorts{}
	for protocol, ports := range o.Ports {
		for _, port := range ports {
			found.add(protocol, port, port)
		}
	}
	return found
}

// of returns the port of a listener in Kong's router, or why it is unavailable. It is 0 for HTTP
// and HTTPS, whose requests may arrive at any port.
func (f frontPorts) of(l gatewayv1.Listener) (int32, *condition.Diagnosis) {
	seen, ok := f[l.Protocol][l.Port]
	switch {
	case !ok:
		c := listenerPortNotInFront(l.Protocol, l.Port, slices.Sorted(maps.Keys(f[l.Protocol])))
		return 0, &c
	case isHTTP(l.Protocol):
		return 0, nil
	}
	return seen, nil
}
