package backend

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kube-sync/kube-sync/translate/route"
)

// state is what a slice says of an endpoint, from the worst to the best.
type state int

const (
	absent   state = iota // it takes no requests
	draining              // it terminates and still serves
	ready
)

func stateOf(c discoveryv1.EndpointConditions) state {
	switch {
	case flagOr(c.Ready, true):
		return ready
	case drains(c):
		return draining
	}
	return absent
}

// endpointStates are the states of a port's endpoints, by their address and port.
//
// While a controller moves an endpoint from one slice to another it stands in both, and one
// of them is stale. Nothing says which, so the best that any slice says is what it is: one
// that does not answer is tried and passed over, and one that is left out gets no requests.
type endpointStates map[string]state

func (all endpointStates) add(address string, s state) {
	all[address] = max(all[address], s)
}

// targets returns the endpoints that requests are sent to, in order: the ready ones. If
// there are none, those that are draining are taken, as kube-proxy does: the last pods of a
// rollout answer better than nobody. With drain, these are kept beside ready ones without
// new requests.
func (all endpointStates) targets(drain bool) []route.Target {
	anyReady := slices.Contains(slices.Collect(maps.Values(all)), ready)
	var targets []route.Target
	for address, s := range all {
		switch {
		case s == ready || s == draining && !anyReady:
			targets = append(targets, route.Target{Address: address, Weight: fullWeight})
		case s == draining && drain:
			targets = append(targets, route.Target{Address: address})
		}
	}
	slices.SortFunc(targets, func(a, b route.Target) int { return cmp.Compare(a.Address, b.Address) })
	return targets
}

// canonical is the one spelling of an address or name: two slices may have two.
func canonical(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
