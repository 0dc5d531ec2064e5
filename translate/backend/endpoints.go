package backend

import (
	"net"
	"net/netip"
	"strconv"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// fullWeight is Kong's default: an equal share.
const fullWeight = 100

// endpoints returns the targets of a port, in order, and why others are left out.
// Of an endpoint's addresses only the first has a meaning in Kubernetes.
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
			states.add(joined(canonical(host), port), s)
		}
	}
	return states.targets(o.Drain), refused
}

func isPort(port int) bool { return port >= 1 && port <= 65535 }

// drains tells endpoints that still serve while they terminate.
func drains(c discoveryv1.EndpointConditions) bool {
	return flagOr(c.Terminating, false) && flagOr(c.Serving, flagOr(c.Ready, true))
}

// flagOr is a condition's value, or its meaning when nobody set it.
func flagOr(value *bool, unset bool) bool {
	if value == nil {
		return unset
	}
	return *value
}

// SlicePort returns the number that a slice has for the Service's port of a name.
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

// joined is a host and a port, with brackets around an IPv6 address. Kong refuses IPv6
// addresses that stand for IPv4 ones.
func joined(host string, port int) string {
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is4In6() {
		host = ip.Unmap().String()
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
