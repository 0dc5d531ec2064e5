package inspect

import (
	"cmp"
	"encoding/json"
	"net"
	"slices"
	"strconv"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Route is one route with everything that a request to it meets.
type Route struct {
	Row
	// Expression is the match in Kong's grammar, Priority decides between routes that match.
	Expression   string `json:"expression"`
	Priority     uint64 `json:"priority"`
	StripPath    bool   `json:"stripPath"`
	PreserveHost bool   `json:"preserveHost"`
	// Chain are the plugins, by scope and name. Kong runs them in the order of their own priorities.
	Chain    []Plugin  `json:"chain"`
	Backends []Backend `json:"backends"`
	// Faults and Refusals are those of the objects that the route is from.
	Faults   []Faulty  `json:"faults"`
	Refusals []Refusal `json:"refusals"`
}

// Plugin is a plugin that handles requests of a route.
type Plugin struct {
	Name string `json:"name"`
	// Scope is "route", "service" or "all requests".
	Scope string `json:"scope"`
	// Consumer is the name of the consumer to whose requests the plugin is limited; it may be empty.
	Consumer string `json:"consumer,omitempty"`
	// Object is the object that configures the plugin; unnamed if kube-sync adds it for the route.
	Object   Object `json:"object"`
	Disabled bool   `json:"disabled,omitempty"`
}

// Backend is where a share of a route's requests goes.
type Backend struct {
	// Weight is the share out of Total. Both are 0 if there is one backend.
	Weight int `json:"weight,omitempty"`
	Total  int `json:"total,omitempty"`
	// Status is the status of the answer if the share has no backend.
	Status int `json:"status,omitempty"`
	// Name is the name of Kong's service or upstream, Object is the Kubernetes object behind it.
	Name   string `json:"name,omitempty"`
	Object Object `json:"object"`
	// Protocol is the protocol of connections to the endpoints.
	Protocol string `json:"protocol,omitempty"`
	// Upstream is Kong's id of the upstream; empty if Kong connects to one host, or the relay does.
	Upstream string `json:"upstream,omitempty"`
	// Relay is true if the relay in kube-sync connects to the endpoints.
	Relay     bool       `json:"relay,omitempty"`
	Endpoints []Endpoint `json:"endpoints"`
}

// Endpoint is one address of a backend.
type Endpoint struct {
	Address string `json:"address"`
	// Weight is 0 for an endpoint that gets no new requests.
	Weight int `json:"weight"`
	// Health is what one of Kong's workers says: "healthy", "unhealthy", "not checked" or
	// "address unknown". It is empty if Kong was not asked.
	Health string `json:"health,omitempty"`
}

// serviceFields are the fields of Kong's service that a catalog reads.
type serviceFields struct {
	Host     string   `json:"host"`
	Port     int      `json:"port"`
	Protocol string   `json:"protocol"`
	Tags     []string `json:"tags"`
}

// detail returns the details of a route; false if Kong does not hold it.
func (c *catalog) detail(id string) (Route, bool) {
	r := c.byID[id]
	if r == nil {
		return Route{}, false
	}
	return Route{
		Row: c.row(r), Expression: r.Expression, Priority: r.Priority, StripPath: r.StripPath, PreserveHost: r.PreserveHost,
		Chain: c.chain(r), Backends: c.backends(r), Faults: []Faulty{}, Refusals: []Refusal{},
	}, true
}

func (c *catalog) chain(r *listed) []Plugin {
	chain := []Plugin{}
	for _, e := range c.plugins(r) {
		var fields struct {
			Tags    []string `json:"tags"`
			Enabled *bool    `json:"enabled"`
		}
		_ = json.Unmarshal(e.JSON, &fields) // a plugin that cannot be read has neither
		p := Plugin{Name: e.Name, Scope: "all requests", Disabled: fields.Enabled != nil && !*fields.Enabled}
		p.Object, _ = objectOfTags(fields.Tags)
		for _, parent := range e.Parents {
			switch parent.Type {
			case kong.Routes:
				p.Scope = "route"
			case kong.Services:
				p.Scope = "service"
			case kong.Consumers:
				p.Consumer = c.nameOf(parent)
			}
		}
		chain = append(chain, p)
	}
	slices.SortStableFunc(chain, func(a, b Plugin) int {
		return cmp.Or(cmp.Compare(rankOfScope(a.Scope), rankOfScope(b.Scope)), cmp.Compare(a.Name, b.Name))
	})
	return chain
}

func rankOfScope(scope string) int {
	return slices.Index([]string{"route", "service", "all requests"}, scope)
}

func (c *catalog) nameOf(ref kong.Ref) string {
	if e, ok := c.entities[ref]; ok {
		return e.Name
	}
	return ref.ID
}

// shareFields are the fields of the plugin kube-sync-http that divide requests.
type shareFields struct {
	Config struct {
		Total  int `json:"total"`
		Shares []struct {
			Weight   int    `json:"weight"`
			Status   int    `json:"status"`
			Upstream string `json:"upstream"`
			Relay    string `json:"relay"`
		} `json:"shares"`
	} `json:"config"`
}

// backends returns where a route's requests go: the shares that a plugin of the route takes, and the
// rest to the service.
func (c *catalog) backends(r *listed) []Backend {
	backends := []Backend{}
	left, total := 0, 0
	for _, e := range c.plugins(r) {
		if e.Name != "kube-sync-http" {
			continue
		}
		var fields shareFields
		if json.Unmarshal(e.JSON, &fields) != nil || fields.Config.Total == 0 {
			continue
		}
		left, total = fields.Config.Total, fields.Config.Total
		for _, s := range fields.Config.Shares {
			left -= s.Weight
			b := c.balanced(s.Upstream)
			if s.Relay != "" {
				b.Relay = true
			}
			b.Weight, b.Total, b.Status = s.Weight, total, s.Status
			backends = append(backends, b)
		}
	}
	if service, ok := c.entities[serviceRef(r)]; ok && (total == 0 || left > 0) {
		b := c.backendOf(service)
		if total > 0 {
			b.Weight, b.Total = left, total
		}
		backends = append([]Backend{b}, backends...)
	}
	return backends
}

// backendOf returns a service as a backend.
func (c *catalog) backendOf(service held) Backend {
	var fields serviceFields
	_ = json.Unmarshal(service.JSON, &fields) // without fields it has no endpoints
	b := c.balanced(fields.Host)
	b.Name, b.Protocol = service.Name, fields.Protocol
	if relay, ok := c.entities[kong.Ref{Type: kong.Relays, ID: service.ID}]; ok {
		b.Relay, b.Endpoints = true, relayed(relay.Entity)
	} else if b.Upstream == "" && fields.Host != "" {
		b.Endpoints = []Endpoint{{Address: net.JoinHostPort(fields.Host, strconv.Itoa(fields.Port)), Weight: 100}}
	}
	if tagged, ok := objectOfTags(fields.Tags); ok {
		b.Object = tagged
	}
	return b
}

// balanced returns the endpoints of an upstream with a name; none if there is no such upstream.
func (c *catalog) balanced(name string) Backend {
	b := Backend{Name: name, Endpoints: []Endpoint{}}
	upstream, ok := c.entities[kong.Ref{Type: kong.Upstreams, ID: kong.ID(kong.Upstreams, name)}]
	if name == "" || !ok {
		return b
	}
	b.Upstream, b.Object = upstream.ID, objectOf(upstream.object)
	for _, target := range c.children[upstream.Ref] {
		if target.Type != kong.Targets {
			continue
		}
		fields := struct {
			Weight int `json:"weight"`
		}{Weight: 100}
		_ = json.Unmarshal(target.JSON, &fields)
		b.Endpoints = append(b.Endpoints, Endpoint{Address: target.Name, Weight: fields.Weight})
	}
	slices.SortFunc(b.Endpoints, func(x, y Endpoint) int { return cmp.Compare(x.Address, y.Address) })
	return b
}

// relayed returns the endpoints of a relay.
func relayed(e *kong.Entity) []Endpoint {
	var relay route.Relay
	_ = json.Unmarshal(e.JSON, &relay) // our own encoding
	endpoints := []Endpoint{}
	for _, b := range relay.Backends {
		for _, target := range b.Targets {
			endpoints = append(endpoints, Endpoint{Address: target, Weight: b.Weight})
		}
	}
	return endpoints
}

// objects returns the objects that a route is from: its own, those of its plugins and backends.
func (r Route) objects() (keys []unit.Key) {
	note := func(o Object) {
		if o.Name != "" && !slices.Contains(keys, o.key()) {
			keys = append(keys, o.key())
		}
	}
	note(r.Object)
	for _, p := range r.Chain {
		note(p.Object)
	}
	for _, b := range r.Backends {
		note(b.Object)
	}
	return keys
}
