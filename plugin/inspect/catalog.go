package inspect

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Row is one route in a table.
type Row struct {
	// ID is Kong's id of the route, Name is its name.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Object is the Kubernetes object that the route is from.
	Object Object `json:"object"`
	Match
	Protocols []string `json:"protocols"`
	// Plugins are the names of the plugins of the route, its service, and all requests.
	Plugins []string `json:"plugins"`
	// Service is the name of Kong's service; empty if a plugin answers.
	Service string `json:"service,omitempty"`
	// Endpoints is the number of endpoints of the service's upstream.
	Endpoints int `json:"endpoints"`
	// Refused and Faulty are true if Kong or a limit refuses something of the object, or if the object
	// has faults.
	Refused bool `json:"refused,omitempty"`
	Faulty  bool `json:"faulty,omitempty"`
}

// Page is a part of the routes that a query finds.
type Page struct {
	Rows []Row `json:"rows"`
	// Total is the number of routes that the query finds, All the number of all routes.
	Total int `json:"total"`
	All   int `json:"all"`
	// Page counts from 1. Pages is at least 1.
	Page  int `json:"page"`
	Pages int `json:"pages"`
	// Stale says that the loop was busy, and the page shows an earlier configuration.
	Stale bool `json:"stale,omitempty"`
}

// rowsPerPage is the number of routes on a page.
const rowsPerPage = 50

// routeFields are the fields of Kong's route that a catalog reads.
type routeFields struct {
	Expression   string   `json:"expression"`
	Priority     uint64   `json:"priority"`
	Protocols    []string `json:"protocols"`
	StripPath    bool     `json:"strip_path"`
	PreserveHost bool     `json:"preserve_host"`
	Tags         []string `json:"tags"`
	Service      string   `json:"service"`
}

// listed is a route in a catalog. It depends on the entity alone, and is kept as long as that exists.
type listed struct {
	entity *kong.Entity
	object Object
	routeFields
	match Match
	// text is what a query is compared with.
	text string
}

// catalog are the entities that Kong holds at one time. It is immutable.
type catalog struct {
	routes []*listed // in the order of the table
	byID   map[string]*listed
	// entities are the services, upstreams, relays, certificates and consumers.
	entities map[kong.Ref]held
	// children are the plugins, targets and server names of an entity.
	children map[kong.Ref][]*kong.Entity
	// everywhere are the plugins of all requests.
	everywhere []*kong.Entity
}

// held is an entity that Kong holds, with the object of its unit.
type held struct {
	*kong.Entity
	object unit.Key
}

// newCatalog relates the entities that Kong holds. What it reads of a route it takes from the last
// catalog, if that has the same entity; last may be nil.
func newCatalog(views []unit.View, last *catalog) *catalog {
	c := &catalog{byID: map[string]*listed{}, entities: map[kong.Ref]held{}, children: map[kong.Ref][]*kong.Entity{}}
	seen := map[kong.Ref]struct{}{} // several units may have an entity
	for _, view := range views {
		for _, e := range view.Entities {
			if _, twice := seen[e.Ref]; !twice {
				seen[e.Ref] = struct{}{}
				c.add(held{e, view.Object}, last)
			}
		}
	}
	slices.SortFunc(c.routes, compareListed)
	return c
}

func (c *catalog) add(e held, last *catalog) {
	switch e.Type {
	case kong.Routes:
		r := last.route(e.Entity)
		if r == nil {
			r = list(e)
		}
		c.routes, c.byID[e.ID] = append(c.routes, r), r
	case kong.Plugins, kong.Targets, kong.SNIs:
		for _, parent := range e.Parents {
			c.children[parent] = append(c.children[parent], e.Entity)
		}
		if e.Type == kong.Plugins && len(e.Parents) == 0 {
			c.everywhere = append(c.everywhere, e.Entity)
		}
	case kong.Services, kong.Upstreams, kong.Relays, kong.Certificates, kong.Consumers:
		c.entities[e.Ref] = e
	}
}

// route returns what an earlier catalog read of an entity, or nil.
func (c *catalog) route(e *kong.Entity) *listed {
	if c == nil || c.byID[e.ID] == nil || c.byID[e.ID].entity != e {
		return nil
	}
	return c.byID[e.ID]
}

// list reads a route.
func list(e held) *listed {
	r := &listed{entity: e.Entity, object: objectOf(e.object)}
	if err := json.Unmarshal(e.JSON, &r.routeFields); err != nil {
		r.match.Others = []string{"the route cannot be read: " + err.Error()}
		return r
	}
	if tagged, ok := objectOfTags(r.Tags); ok {
		r.object = tagged
	}
	r.match = matchOf(r.Expression)
	words := slices.Concat([]string{e.Name, r.object.String()}, r.match.Hosts, r.match.Paths, r.match.Methods, r.match.Others, r.Protocols)
	r.text = strings.ToLower(strings.Join(words, "\n"))
	return r
}

// objectOfTags returns the object that an entity's tags name.
func objectOfTags(tags []string) (o Object, ok bool) {
	o = Object(kong.TaggedSource(tags))
	return o, o.Name != "" && o.Kind != ""
}

// compareListed orders routes by host, then as Kong tries them, then by name.
func compareListed(a, b *listed) int {
	return cmp.Or(cmp.Compare(first(a.match.Hosts), first(b.match.Hosts)), cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.entity.Name, b.entity.Name))
}

func first(values []string) string {
	if len(values) == 0 {
		return "\xff" // all hosts come last
	}
	return values[0]
}

// page returns a page of the routes that have all words of a query in their match, their object,
// their plugins or their service.
func (c *catalog) page(query string, number int) Page {
	words := strings.Fields(strings.ToLower(query))
	var found []*listed
	for _, r := range c.routes {
		if c.has(r, words) {
			found = append(found, r)
		}
	}
	p := Page{Rows: []Row{}, Total: len(found), All: len(c.routes), Pages: max(1, (len(found)+rowsPerPage-1)/rowsPerPage)}
	p.Page = min(max(number, 1), p.Pages)
	for _, r := range found[(p.Page-1)*rowsPerPage : min(p.Page*rowsPerPage, len(found))] {
		p.Rows = append(p.Rows, c.row(r))
	}
	return p
}

func (c *catalog) has(r *listed, words []string) bool {
	for _, word := range words {
		if !strings.Contains(r.text, word) && !strings.Contains(strings.ToLower(c.serviceName(r)), word) &&
			!slices.ContainsFunc(c.plugins(r), func(e *kong.Entity) bool { return strings.Contains(e.Name, word) }) {
			return false
		}
	}
	return true
}

func (c *catalog) serviceName(r *listed) string {
	if service, ok := c.entities[serviceRef(r)]; ok {
		return service.Name
	}
	return ""
}

func serviceRef(r *listed) kong.Ref { return kong.Ref{Type: kong.Services, ID: r.Service} }

// plugins returns the plugins of a route, of its service, and of all requests.
func (c *catalog) plugins(r *listed) (plugins []*kong.Entity) {
	for _, parent := range []kong.Ref{r.entity.Ref, serviceRef(r)} {
		for _, e := range c.children[parent] {
			if e.Type == kong.Plugins {
				plugins = append(plugins, e)
			}
		}
	}
	return append(plugins, c.everywhere...)
}

func (c *catalog) row(r *listed) Row {
	row := Row{ID: r.entity.ID, Name: r.entity.Name, Object: r.object, Match: r.match, Protocols: r.Protocols, Plugins: []string{}, Service: c.serviceName(r)}
	for _, e := range c.plugins(r) {
		row.Plugins = add(row.Plugins, e.Name)
	}
	slices.Sort(row.Plugins)
	for _, backend := range c.backends(r) {
		row.Endpoints += len(backend.Endpoints)
	}
	return row
}
