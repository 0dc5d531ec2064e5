package proxy

import (
	"cmp"
	"crypto/tls"
	"slices"

	"github.com/kube-sync/kube-sync/e2e/standin/declarative"
)

// Table is a configuration that is prepared for routing.
type Table struct {
	routes    []*entry
	upstreams map[string]*balancer
	snis      map[string]*tls.Certificate
}

// entry is a route with everything that its requests need.
type entry struct {
	route   *declarative.Route
	service *declarative.Service // nil if the route has none
	schemes []string             // those on which it matches
	// terminates answers in place of the service, unless it is nil.
	terminates *declarative.TerminationConfig
	// answers answers in place of everything that follows, unless it is nil.
	answers *declarative.Answer
	// foreign are the names of the plugins that the stand-in cannot run, in order.
	foreign []string
}

// NewTable returns a table. If the configuration is nil, no route matches.
func NewTable(c *declarative.Config) *Table {
	t := &Table{upstreams: map[string]*balancer{}, snis: map[string]*tls.Certificate{}}
	if c == nil {
		return t
	}
	for name, certificate := range c.SNIs {
		t.snis[name] = &certificate.TLS
	}
	for name, u := range c.Upstreams {
		t.upstreams[name] = newBalancer(u)
	}
	for _, r := range c.Routes {
		if s := c.Services[r.ServiceID]; s == nil || s.Enabled {
			e := &entry{route: r, service: s, schemes: schemes(r.Protocols)}
			e.takePlugins(c.Plugins)
			t.routes = append(t.routes, e)
		}
	}
	slices.SortFunc(t.routes, func(a, b *entry) int {
		if c := cmp.Compare(b.route.Priority, a.route.Priority); c != 0 {
			return c
		}
		return cmp.Compare(b.route.ID, a.route.ID)
	})
	return t
}

// schemes returns the schemes of a route. A route for HTTPS only matches plain requests as
// well, and answers them with its https_redirect_status_code.
func schemes(protocols []string) []string {
	if len(protocols) == 1 && protocols[0] == "https" {
		return []string{"http", "https"}
	}
	var out []string
	for _, p := range protocols {
		switch p {
		case "http", "grpc":
			out = append(out, "http")
		case "https", "grpcs":
			out = append(out, "https")
		}
	}
	return out
}

// takePlugins sets the plugins that run on the route. Of several plugins of one name, the one
// with the narrowest scope runs. Plugins of consumers never do, because the stand-in does not
// authenticate.
func (e *entry) takePlugins(plugins []*declarative.Plugin) {
	best := -1
	for _, p := range plugins {
		scope, concerned := e.scope(p)
		if !concerned {
			continue
		}
		switch {
		case p.Name == declarative.Ports: // requests are told apart by their ports anyway
		case p.Answer != nil:
			e.answers = p.Answer
		case p.Name != declarative.Termination:
			e.foreign = append(e.foreign, p.Name)
		case scope > best:
			best, e.terminates = scope, &p.Config
		}
	}
	slices.Sort(e.foreign)
	e.foreign = slices.Compact(e.foreign)
}

// scope returns how narrow the scope of the plugin is, and whether the route is in it.
func (e *entry) scope(p *declarative.Plugin) (narrowness int, concerned bool) {
	if p.Consumer != "" {
		return 0, false
	}
	if p.RouteID != "" {
		if p.RouteID != e.route.ID {
			return 0, false
		}
		narrowness += 2
	}
	if p.ServiceID != "" {
		if e.service == nil || p.ServiceID != e.service.ID {
			return 0, false
		}
		narrowness++
	}
	return narrowness, true
}
