package explain

import (
	"cmp"
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Configuration is the configuration of a graph in a form that answers requests quickly. It holds
// until the graph changes, and is not safe for concurrent use.
type Configuration struct {
	graph *unit.Graph
	// requests and streams are the routes in the order in which Kong tries them.
	requests, streams []*routeEntity
	plugins           []*pluginEntity
	services          map[string]*serviceEntity
	upstreams         map[string][]Endpoint // by the upstream's name
	names             map[string]string     // certificate ids by server name
	certificates      map[string]certificateEntity
	relays            map[string]*route.Relay // by the key
	entrances         []entrance
}

// routeEntity is a route of Kong.
type routeEntity struct {
	ID, Name, Expression, Service string
	Priority                      uint64
	Protocols, Tags               []string
	HTTPSRedirect                 int `json:"https_redirect_status_code"`

	object  Object
	field   field.Path
	expr    expression.Expr
	program *expression.Program
}

// pluginEntity is a plugin of Kong.
type pluginEntity struct {
	ID, Name, Route, Service, Consumer string
	Enabled                            bool
	Protocols, Tags                    []string
	Config                             json.RawMessage

	object Object
	secret bool // the configuration comes from a Secret
}

// serviceEntity is a service of Kong.
type serviceEntity struct {
	ID, Name, Host, Protocol string
	Port                     int
	Tags                     []string

	object Object
}

type certificateEntity struct {
	Cert string
	Tags []string
}

// New returns the configuration of a graph.
func New(graph *unit.Graph) *Configuration { return Of(graph, graph.Units()) }

// Of returns the configuration of a graph of which a gateway holds other entities, such as
// substitutes for those that Kong refused.
func Of(graph *unit.Graph, held iter.Seq[unit.View]) *Configuration {
	c := &Configuration{graph: graph, services: map[string]*serviceEntity{}, upstreams: map[string][]Endpoint{},
		names: map[string]string{}, certificates: map[string]certificateEntity{}, relays: map[string]*route.Relay{}}
	fields := c.fields()
	for view := range held {
		c.add(view, fields)
	}
	for _, list := range [][]*routeEntity{c.requests, c.streams} {
		slices.SortFunc(list, func(a, b *routeEntity) int {
			return cmp.Or(cmp.Compare(b.Priority, a.Priority), strings.Compare(b.ID, a.ID))
		})
	}
	c.findEntrances()
	return c
}

// fields returns the part of an object that makes each route, by the route's id.
func (c *Configuration) fields() map[string]field.Path {
	fields := map[string]field.Path{}
	for standing := range c.standings() {
		for _, e := range standing.Entities {
			if standing.Effective && e.Type == kong.Routes {
				fields[e.ID] = standing.Field
			}
		}
	}
	return fields
}

// standings yields the claims of all routes.
func (c *Configuration) standings() iter.Seq[unit.Standing] {
	return func(yield func(unit.Standing) bool) {
		for _, family := range []string{string(unit.Ranks), string(unit.Streams)} {
			for standing := range c.graph.Standings(family) {
				if !yield(standing) {
					return
				}
			}
		}
	}
}

func (c *Configuration) add(view unit.View, fields map[string]field.Path) {
	upstreams := map[string]string{} // names by id
	for _, e := range view.Entities {
		if e.Type == kong.Upstreams {
			upstreams[e.ID] = e.Name
			c.upstreams[e.Name] = nil
		}
	}
	for _, e := range view.Entities {
		switch e.Type {
		case kong.Routes:
			c.addRoute(e, view, fields[e.ID])
		case kong.Plugins:
			p := &pluginEntity{}
			if json.Unmarshal(e.JSON, p) == nil && p.Enabled {
				p.object, p.secret = objectOf(p.Tags, view), e.Secret
				c.plugins = append(c.plugins, p)
			}
		case kong.Services:
			s := &serviceEntity{}
			if json.Unmarshal(e.JSON, s) == nil {
				s.object = objectOf(s.Tags, view)
				c.services[s.ID] = s
			}
		case kong.Targets:
			var target struct{ Weight int }
			if json.Unmarshal(e.JSON, &target) == nil {
				name := upstreams[e.Parents[0].ID]
				c.upstreams[name] = append(c.upstreams[name], Endpoint{e.Name, target.Weight})
			}
		case kong.SNIs:
			var sni struct{ Certificate string }
			if json.Unmarshal(e.JSON, &sni) == nil {
				c.names[e.Name] = sni.Certificate
			}
		case kong.Certificates:
			var certificate certificateEntity
			if json.Unmarshal(e.JSON, &certificate) == nil {
				c.certificates[e.ID] = certificate
			}
		case kong.Relays:
			var relay route.Relay
			if json.Unmarshal(e.JSON, &relay) == nil {
				c.relays[relay.Key] = &relay
			}
		}
	}
}

func (c *Configuration) addRoute(e *kong.Entity, view unit.View, at field.Path) {
	r := &routeEntity{}
	if json.Unmarshal(e.JSON, r) != nil {
		return
	}
	r.object, r.field = objectOf(r.Tags, view), at
	var err error
	if r.expr, err = withProtocols(r); err != nil {
		return
	}
	if r.program, err = expression.Compile(r.expr); err != nil {
		return
	}
	if isStream(r.Protocols) {
		c.streams = append(c.streams, r)
	} else {
		c.requests = append(c.requests, r)
	}
}

// objectOf returns the object that an entity's tags name, or else that of its unit.
func objectOf(tags []string, view unit.View) Object {
	source := kong.TaggedSource(tags)
	o := Object{Kind: unit.Kind(source.Kind), Namespace: source.Namespace, Name: source.Name}
	if o.Kind == "" || o.Name == "" {
		return Object(view.Object)
	}
	return o
}

func (r *routeEntity) route() Route {
	return Route{Name: r.Name, ID: r.ID, Object: r.object, Field: r.field, Expression: r.Expression, Priority: r.Priority, Protocols: r.Protocols}
}
