package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gateway"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// entrance is a listener of a Gateway or ListenerSet.
type entrance struct {
	object unit.Key
	gateway.Listener
}

// findEntrances collects the listeners that take requests, and the ports of stream routes.
func (c *Configuration) findEntrances() {
	for _, kind := range []unit.Kind{unit.Gateway, unit.ListenerSet, unit.XListenerSet} {
		for key := range c.graph.Objects(kind) {
			served := unit.Value(c.graph, gateway.Roles[kind].Of(key.Namespace, key.Name))
			if served == nil {
				continue
			}
			for _, l := range served.Listeners {
				if l.Serves {
					c.entrances = append(c.entrances, entrance{key, l})
				}
			}
		}
	}
}

// arrival is a request at a port of Kong.
type arrival struct {
	Request
	kongPort int
	// at is nil for a port that no listener has for itself.
	at *entrance

	routed expression.Request
	route  *routeEntity // nil if none matches
}

// arrivals returns where a request may arrive: at the Service in front of Kong, and at Gateways with
// addresses of their own. A port for streams takes requests as connections.
func (c *Configuration) arrivals(r Request) (all []arrival) {
	ports := map[int]bool{}
	for i, e := range c.entrances {
		scheme, ok := carried(r.Scheme, e.Scheme)
		if int(e.Port) != r.Port || !ok || e.KongPort == 0 || ports[int(e.KongPort)] {
			continue
		}
		ports[int(e.KongPort)] = true
		as := r
		as.Scheme = scheme
		all = append(all, arrival{Request: as, kongPort: int(e.KongPort), at: &c.entrances[i]})
	}
	if scheme, ok := c.streamAt(r); ok && !ports[r.Port] {
		as := r
		as.Scheme = scheme
		all = append(all, arrival{Request: as, kongPort: r.Port})
	}
	if r.ofRequests() {
		all = append([]arrival{{Request: r, kongPort: c.sharedPort()}}, all...)
	} else if len(all) == 0 {
		all = []arrival{{Request: r, kongPort: r.Port}}
	}
	for i := range all {
		all[i].routed = all[i].Request.routed(all[i].kongPort)
		all[i].route = c.first(all[i].Request, &all[i].routed)
	}
	return all
}

// carried returns the scheme of requests at a listener; false if the listener does not take them.
func carried(scheme, listener string) (string, bool) {
	overTLS := scheme == "https" || scheme == "tls"
	switch {
	case listener == scheme:
		return scheme, true
	case (listener == "tls" || listener == "tls_passthrough") && overTLS:
		return "tls", true
	case listener == "tcp" && scheme != "udp":
		return "tcp", true // Kong does not look into the connection
	}
	return "", false
}

// streamAt returns the scheme of a request at a port of Kong that stream routes name.
func (c *Configuration) streamAt(r Request) (string, bool) {
	port := strconv.Itoa(r.Port)
	for _, route := range c.streams {
		for p := range expression.Predicates(route.expr) {
			if p.Field != "net.dst.port" || p.Value != port {
				continue
			}
			for _, protocol := range route.Protocols {
				if scheme, ok := carried(r.Scheme, protocol); ok {
					return scheme, true
				}
			}
		}
	}
	return "", false
}

// sharedPort returns a port of Kong that is not one of the listeners'. No route can tell such ports
// apart.
func (c *Configuration) sharedPort() int {
	for port := 8000; ; port++ {
		if !slices.ContainsFunc(c.entrances, func(e entrance) bool { return int(e.KongPort) == port }) {
			return port
		}
	}
}

// choose returns the arrival that is explained: the first one at which an object's route answers. The
// others are what remains unknown, because the client chooses the address.
func choose(all []arrival) (chosen arrival, others []arrival) {
	served := func(a arrival) bool {
		return a.route != nil && a.route.Priority > 0 && a.route.object.Kind != unit.Gateway
	}
	at := max(slices.IndexFunc(all, served), 0)
	return all[at], slices.Concat(all[:at], all[at+1:])
}

// elsewhere says what other addresses of the gateway would answer.
func elsewhere(others []arrival) (unknown []string) {
	const most = 5
	for i, a := range others {
		if i == most {
			return append(unknown, fmt.Sprintf("%d more addresses of the gateway have this port", len(others)-most))
		}
		where := "the address of the Service in front of Kong"
		if a.at != nil {
			where = fmt.Sprintf("the address of %s (listener %s)", a.at.object, a.at.Name)
		}
		what := "no route takes the request"
		if a.route != nil && a.route.Priority > 0 && a.route.object.Kind != unit.Gateway {
			what = fmt.Sprintf("%s answers", a.route.object)
		}
		unknown = append(unknown, fmt.Sprintf("which address the client connects to: at %s, %s", where, what))
	}
	return unknown
}

// listener returns the listener of an arrival; nil if its port is not a listener's.
func (c *Configuration) listener(a arrival) *Listener {
	if a.at != nil {
		a.at = c.mostSpecific(a, a.at.KongPort)
	} else if a.ofRequests() {
		a.at = c.mostSpecific(a, 0)
	}
	if a.at == nil {
		return nil
	}
	return &Listener{Object: Object(a.at.object), Name: a.at.Name, Protocol: string(a.at.Protocol), Host: string(a.at.Host),
		Port: int(a.at.Port), KongPort: int(a.at.KongPort)}
}

// mostSpecific returns the listener with the most specific hostname for a request, among those with a
// port of Kong.
func (c *Configuration) mostSpecific(a arrival, kongPort int32) (found *entrance) {
	host := route.Host(strings.ToLower(a.Host))
	if !a.ofRequests() {
		host = route.Host(strings.ToLower(a.routed.SNI))
	}
	for i, e := range c.entrances {
		if e.KongPort != kongPort || int(e.Port) != a.Port || e.Host != "" && e.Host != host && !hostname.Covers(e.Host, host) {
			continue
		}
		if scheme, ok := carried(a.Scheme, e.Scheme); !ok || scheme != a.Scheme {
			continue
		}
		if found == nil || len(e.Host) > len(found.Host) || e.Host == host {
			found = &c.entrances[i]
		}
	}
	return found
}
