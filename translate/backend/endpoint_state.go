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

// state is the state of an endpoint in a slice, from the worst to the best.
type state int

const (
	absent   state = iota // takes no requests
	draining              // terminates and still serves
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

// endpointStates are the states of a port's endpoints, by address and port.
//
// While a controller moves an endpoint from one slice to another, it can be in both, and one of them
// is stale. The best state is used, because an endpoint that does not answer only costs a retry,
// while one that is left out gets no requests.
type endpointStates map[string]state

func (all endpointStates) add(address string, s state) {
	all[address] = max(all[address], s)
}

// targets returns the endpoints that get requests, sorted: the ready ones, or the draining ones if
// none is ready, as in kube-proxy. With drain, draining endpoints are kept beside ready ones, without
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

// canonical returns the canonical spelling of an address or name, which may differ between slices.
func canonical(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
