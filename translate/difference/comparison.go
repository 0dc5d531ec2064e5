package difference

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// comparison finds the sentences of a difference.
type comparison struct {
	before, after side
	changed       map[kong.Ref]Change
	entities      []Change
	pairs         []pair
	covered       map[kong.Ref]bool
	found         []Sentence
}

// side is a state with indexes.
type side struct {
	State
	routes    []route
	byRef     map[kong.Ref]route
	byService map[kong.Ref][]kong.Ref
	children  map[kong.Ref][]kong.Ref      // by parent
	hosts     map[unit.Key]map[string]bool // of the routes of each owner
	// decoded are the routes of both sides, most of which are the same.
	decoded map[*kong.Entity]route
}

// route is a route of Kong.
type route struct {
	made
	fields fields
	owner  unit.Key
	place  place
	// service is empty if plugins answer.
	service kong.Ref
}

func newComparison(before, after State, entities []Change) *comparison {
	decoded := map[*kong.Entity]route{}
	c := &comparison{before: newSide(before, decoded), after: newSide(after, decoded), entities: entities,
		changed: map[kong.Ref]Change{}, covered: map[kong.Ref]bool{}}
	for _, change := range entities {
		c.changed[change.Ref] = change
	}
	return c
}

func newSide(state State, decoded map[*kong.Entity]route) side {
	s := side{State: state, byRef: map[kong.Ref]route{}, byService: map[kong.Ref][]kong.Ref{}, children: map[kong.Ref][]kong.Ref{},
		hosts: map[unit.Key]map[string]bool{}, decoded: decoded}
	for _, ref := range state.order {
		m := state.entities[ref]
		for _, parent := range m.Parents {
			s.children[parent] = append(s.children[parent], ref)
		}
		if ref.Type != kong.Routes {
			continue
		}
		r := s.route(m)
		s.routes = append(s.routes, r)
		s.byRef[ref] = r
		if s.hosts[r.owner] == nil {
			s.hosts[r.owner] = map[string]bool{}
		}
		s.hosts[r.owner][r.place.host] = true
		if r.service.ID != "" {
			s.byService[r.service] = append(s.byService[r.service], ref)
		}
	}
	return s
}

func (s side) route(m made) route {
	if r, known := s.decoded[m.Entity]; known {
		return r
	}
	f := fieldsOf(m.Entity)
	r := route{made: m, fields: f, owner: objectOf(m, f), place: placeOf(f.Expression)}
	if f.Service != "" {
		r.service = kong.Ref{Type: kong.Services, ID: f.Service}
	}
	s.decoded[m.Entity] = r
	return r
}

// sentences returns sentences that cover all changed entities, ordered by object.
func (c *comparison) sentences() []Sentence {
	c.pair()
	c.owners()
	c.moved()
	c.shares()
	c.altered()
	c.appeared()
	c.plugins()
	c.endpoints()
	c.rest()
	slices.SortStableFunc(c.found, func(a, b Sentence) int { return a.Object.Compare(b.Object) })
	return c.found
}

// say adds a sentence. It covers the entities of the list that differ.
func (c *comparison) say(object unit.Key, covers []kong.Ref, format string, args ...any) {
	s := Sentence{Object: object, Text: fmt.Sprintf(format, args...)}
	for _, ref := range covers {
		if _, differs := c.changed[ref]; differs && !slices.Contains(s.Covers, ref) {
			s.Covers = append(s.Covers, ref)
			c.covered[ref] = true
		}
	}
	c.found = append(c.found, s)
}

// pair is a route before and after. One of them is empty if it is added or removed.
type pair struct{ before, after route }

func (p pair) isAdded() bool   { return p.before.Entity == nil }
func (p pair) isRemoved() bool { return p.after.Entity == nil }
func (p pair) isKept() bool    { return !p.isAdded() && !p.isRemoved() }

// either returns the route after, or before if it is removed.
func (p pair) either() route {
	if p.isRemoved() {
		return p.before
	}
	return p.after
}

func (p pair) refs() (refs []kong.Ref) {
	for _, r := range []route{p.before, p.after} {
		if r.Entity != nil {
			refs = append(refs, r.Ref)
		}
	}
	return refs
}

// pair finds the route of each side that does the work of a route of the other side: a route of the
// same object for the same requests, or the route with the same name. Names change with backends.
func (c *comparison) pair() {
	type work struct {
		owner      unit.Key
		expression string
	}
	workOf := func(r route) work { return work{r.owner, r.fields.Expression} }
	free := map[work][]route{} // routes before
	taken := map[kong.Ref]bool{}
	for _, r := range c.before.routes {
		if same := c.after.byRef[r.Ref]; same.Entity == r.Entity {
			c.pairs = append(c.pairs, pair{r, same})
			taken[r.Ref] = true
		} else {
			free[workOf(r)] = append(free[workOf(r)], r)
		}
	}
	var left []route
	for _, r := range c.after.routes {
		candidates := free[workOf(r)]
		at := max(slices.IndexFunc(candidates, func(b route) bool { return b.Ref == r.Ref }), 0)
		switch {
		case c.before.byRef[r.Ref].Entity == r.Entity:
		case len(candidates) == 0:
			left = append(left, r)
		default:
			c.pairs = append(c.pairs, pair{candidates[at], r})
			taken[candidates[at].Ref] = true
			free[workOf(r)] = slices.Delete(slices.Clone(candidates), at, at+1)
		}
	}
	for _, r := range left {
		var was route
		if !taken[r.Ref] {
			was = c.before.byRef[r.Ref]
		}
		taken[r.Ref] = true
		c.pairs = append(c.pairs, pair{was, r})
	}
	for _, r := range c.before.routes {
		if !taken[r.Ref] {
			c.pairs = append(c.pairs, pair{before: r})
		}
	}
}

// withBackends returns entities and the services, upstreams and plugins that come and go with them.
func (c *comparison) withBackends(refs []kong.Ref) []kong.Ref {
	all := slices.Clone(refs)
	for i := 0; i < len(all); i++ {
		for _, s := range []side{c.before, c.after} {
			for _, next := range append(s.children[all[i]], s.backendOf(all[i])...) {
				change, differs := c.changed[next]
				if differs && (change.Before == nil || change.After == nil) && next.Type != kong.Routes && !slices.Contains(all, next) {
					all = append(all, next)
				}
			}
		}
	}
	return all
}

// backendOf returns the service of a route, or the upstream of a service.
func (s side) backendOf(ref kong.Ref) []kong.Ref {
	switch ref.Type {
	case kong.Routes:
		if r := s.byRef[ref]; r.service.ID != "" {
			return []kong.Ref{r.service}
		}
	case kong.Services:
		if m, ok := s.entities[ref]; ok {
			return []kong.Ref{{Type: kong.Upstreams, ID: kong.ID(kong.Upstreams, hostOf(m))}}
		}
	}
	return nil
}

// list joins names, of which it writes out the first ones.
func list(names []string) string {
	const most = 4
	names = slices.Compact(slices.Clone(names))
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// plural returns a number of things: "1 route", "2 routes".
func plural(n int, thing string) string {
	if stem, ok := strings.CutSuffix(thing, "y"); ok && n != 1 {
		thing = stem + "ies"
	} else if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// grouped holds things by key, in the order of the first of each key.
type grouped[K comparable, V any] struct {
	keys   []K
	values map[K][]V
}

func (g *grouped[K, V]) add(key K, values ...V) {
	if g.values == nil {
		g.values = map[K][]V{}
	}
	if _, known := g.values[key]; !known {
		g.keys = append(g.keys, key)
	}
	g.values[key] = append(g.values[key], values...)
}

// shortName returns the name of an object as seen from another one's namespace.
func shortName(key, from unit.Key) string {
	if key.Namespace == "" || key.Namespace == from.Namespace {
		return key.Name
	}
	return key.Namespace + "/" + key.Name
}
