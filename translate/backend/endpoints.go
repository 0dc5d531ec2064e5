package backend

import (
	"net"
	"net/netip"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// ServiceNotFound is the reason of a reference to a Service that does not exist.
const ServiceNotFound = "ServiceNotFound"

// Endpoints are the endpoints of a Service's port, for an upstream that several backends share.
type Endpoints struct {
	// Service is nil if it does not exist.
	Service     *corev1.Service
	ServicePort corev1.ServicePort
	Targets     []route.Target
	unit.Unavailable
	// WrongPort is whether the Service does not have the port.
	WrongPort bool
	// Verdicts are on the objects whose endpoints are not used.
	Verdicts []unit.Verdict
}

// Endpoints returns the endpoints that a reference names.
func (o Options) Endpoints(r *unit.Reader, ref Ref) Endpoints {
	key := unit.Service.Key(ref.Namespace, ref.Service)
	service, ok := unit.Get[*corev1.Service](r, key)
	if !ok {
		return Endpoints{Unavailable: unit.NotFound(ServiceNotFound, key)}
	}
	resolved := o.targets(r, ref, service)
	found := Endpoints{Service: service, Targets: resolved.targets, Verdicts: resolved.verdicts, WrongPort: resolved.problem.port,
		Unavailable: unit.Unavailable{Reason: resolved.problem.reason, Message: resolved.problem.message}}
	found.ServicePort, _ = servicePort(service, ref)
	return found
}

// fullWeight is Kong's default weight.
const fullWeight = 100

// endpoints returns the targets of a port, sorted, and the endpoints that are not used. Only the
// first address of an endpoint has a meaning in Kubernetes.
func (o Options) endpoints(all []*discoveryv1.EndpointSlice, portName string, policy address.Policy) ([]route.Target, refusals) {
	var refused refusals
	states := endpointStates{}
	for _, slice := range all {
		port, ok := SlicePort(slice, portName)
		if !ok {
			continue
		}
		key := unit.EndpointSlice.Of(slice)
		for i, e := range slice.Endpoints {
			s := stateOf(e.Conditions)
			if len(e.Addresses) == 0 || s == absent {
				continue
			}
			host := e.Addresses[0]
			if why := o.refuse(slice.AddressType, host, port, policy); why != nil {
				refused.add(key, field.NewPath("endpoints").Index(i).Child("addresses").Index(0), *why)
				continue
			}
			states.add(hostPort(canonical(host), port), s)
		}
	}
	return states.targets(o.Drain), refused
}

func isPort(port int) bool { return port >= 1 && port <= 65535 }

// drains reports whether an endpoint terminates and still serves.
func drains(c discoveryv1.EndpointConditions) bool {
	return flagOr(c.Terminating, false) && flagOr(c.Serving, flagOr(c.Ready, true))
}

// flagOr returns the value of a condition, or unset if it has none.
func flagOr(value *bool, unset bool) bool {
	if value == nil {
		return unset
	}
	return *value
}

// SlicePort returns the number of the Service's port of a name in a slice.
func SlicePort(slice *discoveryv1.EndpointSlice, name string) (int, bool) {
	for _, p := range slice.Ports {
		if p.Port == nil {
			continue
		}
		if p.Name == nil && name == "" || p.Name != nil && *p.Name == name {
			return int(*p.Port), true
		}
	}
	return 0, false
}

// hostPort joins a host and a port, with brackets around an IPv6 address. Kong refuses IPv4-mapped
// IPv6 addresses, so they are converted.
func hostPort(host string, port int) string {
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is4In6() {
		host = ip.Unmap().String()
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
