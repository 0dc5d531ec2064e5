package explain

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"

	"github.com/kube-sync/kube-sync/translate/route"
)

// backendsOf returns the alternatives to which a route sends requests.
func (c *Configuration) backendsOf(r *routeEntity, run []running) []Backend {
	var own httpConfig
	for _, p := range run {
		if p.Name == "kube-sync-http" {
			own = decode[httpConfig](p.pluginEntity)
		}
	}
	var all []Backend
	left := own.Total
	for _, s := range own.Shares {
		left -= s.Weight
		percent := 100 * float64(s.Weight) / float64(own.Total)
		switch {
		case s.Redirect != nil:
			all = append(all, Backend{Percent: percent, Status: s.Redirect.Status, refused: true, Why: "the filters of the backend redirect the client"})
		case s.Status != 0:
			all = append(all, Backend{Percent: percent, Status: s.Status, refused: true, Why: "the backend is invalid or has no endpoints"})
		case s.Relay != "":
			all = append(all, c.relayed(s.Relay, percent)...)
		default:
			all = append(all, c.upstream(s.Upstream, percent))
		}
	}
	if own.Total > 0 && left <= 0 {
		return all
	}
	rest := 100.0
	if own.Total > 0 {
		rest = 100 * float64(left) / float64(own.Total)
	}
	switch service := c.services[r.Service]; {
	case own.Relay != "":
		return append(all, c.relayed(own.Relay, rest)...)
	case service == nil:
		return append(all, Backend{Percent: rest, Status: http.StatusServiceUnavailable, Why: "the route has no service"})
	default:
		return append(all, c.serviceBackend(service, rest))
	}
}

// serviceBackend returns the endpoints of a service: those of its upstream, or its host.
func (c *Configuration) serviceBackend(s *serviceEntity, percent float64) Backend {
	if _, ok := c.upstreams[s.Host]; ok {
		return c.upstream(s.Host, percent)
	}
	return Backend{Percent: percent, Endpoints: []Endpoint{{Address: net.JoinHostPort(s.Host, strconv.Itoa(s.Port)), Weight: 100}}}
}

func (c *Configuration) upstream(name string, percent float64) Backend {
	b := Backend{Percent: percent, Upstream: name, Endpoints: slices.Clone(c.upstreams[name])}
	if !slices.ContainsFunc(b.Endpoints, func(e Endpoint) bool { return e.Weight > 0 }) {
		b.Status, b.Why = http.StatusServiceUnavailable, "there are no endpoints"
	}
	return b
}

// relayed returns the backends of a rule that the relay serves, with their shares.
func (c *Configuration) relayed(key string, percent float64) (all []Backend) {
	relay := c.relays[key]
	if relay == nil || len(relay.Backends) == 0 {
		return []Backend{{Percent: percent, Relayed: true, Status: http.StatusServiceUnavailable, Why: "the relay has no backend with endpoints"}}
	}
	total := 0
	for _, b := range relay.Backends {
		total += b.Weight
	}
	for _, b := range relay.Backends {
		if b.Weight == 0 && total > 0 {
			continue
		}
		backend := Backend{Relayed: true, Percent: percent, Endpoints: relayEndpoints(b)}
		if total > 0 {
			backend.Percent = percent * float64(b.Weight) / float64(total)
		}
		all = append(all, backend)
	}
	return all
}

func relayEndpoints(b route.RelayBackend) (all []Endpoint) {
	for _, target := range b.Targets {
		all = append(all, Endpoint{Address: target, Weight: 100})
	}
	return all
}

// unhealthy says what is not known about the endpoints of backends.
func unhealthy(all []Backend) (unknown []string) {
	endpoints := 0
	for _, b := range all {
		if b.Status == 0 {
			endpoints += len(b.Endpoints)
		}
	}
	if endpoints == 0 {
		return nil
	}
	unknown = []string{"what the backend answers, and which endpoints are healthy"}
	if len(all) > 1 && !slices.ContainsFunc(all, func(b Backend) bool { return b.refused }) {
		unknown = append(unknown, fmt.Sprintf("which of %d backends takes the request: the gateway chooses by weight", len(all)))
	}
	return unknown
}
