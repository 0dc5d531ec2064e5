package difference

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// owners says which hosts change their owners. The routes of such a host are covered.
func (c *comparison) owners() {
	was, is := c.before.owners(), c.after.owners()
	byHost := grouped[string, pair]{}
	for _, p := range c.pairs {
		if !p.isKept() {
			byHost.add(p.either().place.host, p)
		}
	}
	for _, host := range byHost.keys {
		before, after := was[host], is[host]
		disjoint := !slices.ContainsFunc(before, func(o unit.Key) bool { return slices.Contains(after, o) })
		if host == "" || len(before) == 0 || len(after) == 0 || !disjoint {
			continue
		}
		var refs []kong.Ref
		for _, p := range byHost.values[host] {
			refs = append(refs, p.refs()...)
		}
		c.say(unit.Key{}, c.withBackends(refs), "host %s changes owner from %s to %s", host, list(names(before)), list(names(after)))
	}
}

// owners returns the owners of the routes of each host, in order.
func (s side) owners() map[string][]unit.Key {
	owners := map[string][]unit.Key{}
	for owner, hosts := range s.hosts {
		for host := range hosts {
			owners[host] = append(owners[host], owner)
		}
	}
	for _, of := range owners {
		slices.SortFunc(of, unit.Key.Compare)
	}
	return owners
}

func names(keys []unit.Key) []string {
	all := make([]string, len(keys))
	for i, key := range keys {
		all[i] = key.String()
	}
	return all
}

// move is a change of backends that several routes share.
type move struct {
	owner    unit.Key
	from, to string
}

// moved says which places get another backend.
func (c *comparison) moved() {
	moves := grouped[move, pair]{}
	for _, p := range c.pairs {
		if !p.isKept() || p.before.service == p.after.service && !c.differs(p.after.service) {
			continue
		}
		from, to := c.before.backendName(p.before), c.after.backendName(p.after)
		if from != to {
			moves.add(move{p.after.owner, from, to}, p)
		}
	}
	for _, m := range moves.keys {
		var places []string
		var refs []kong.Ref
		for _, p := range moves.values[m] {
			places = append(places, c.where(p.after))
			refs = append(refs, p.refs()...)
			refs = append(refs, p.before.service, p.after.service)
		}
		verb := "moves"
		if len(slices.Compact(places)) > 1 {
			verb = "move"
		}
		c.say(m.owner, c.withMoved(refs), "%s %s from %s to %s", list(places), verb, m.from, m.to)
	}
}

func (c *comparison) differs(ref kong.Ref) bool {
	_, differs := c.changed[ref]
	return differs
}

// withMoved returns entities with the endpoints of their services. Where one service stands for
// another object, these differ as well.
func (c *comparison) withMoved(refs []kong.Ref) []kong.Ref {
	all := c.withBackends(refs)
	for _, ref := range refs {
		if ref.Type != kong.Services {
			continue
		}
		for _, s := range []side{c.before, c.after} {
			for _, upstream := range s.backendOf(ref) {
				all = append(append(all, upstream), s.children[upstream]...)
			}
		}
	}
	return all
}

// backendName returns what a route leads to, as seen from its namespace.
func (s side) backendName(r route) string {
	m, ok := s.entities[r.service]
	if !ok {
		return "no backend"
	}
	f := fieldsOf(m.Entity)
	object, named := f.object()
	if !named {
		object = m.unit
	}
	switch {
	case object == r.owner:
		return "several backends"
	case object.Kind == unit.Service:
		return shortName(object, r.owner) + portOf(m)
	}
	return object.String()
}

// serviceFields are the fields of a service of which sentences speak.
type serviceFields struct {
	Host string `json:"host"`
	Port int    `json:"port"`
	Name string `json:"name"`
}

func serviceOf(m made) (f serviceFields) {
	_ = json.Unmarshal(m.JSON, &f) // the zero value says nothing
	return f
}

func hostOf(m made) string { return serviceOf(m).Host }

// portOf returns the port of a backend that the name of the service ends with: ":80".
func portOf(m made) string {
	name := serviceOf(m).Name
	if at := strings.LastIndexByte(name, '.'); at >= 0 && name != "" && strings.HasSuffix(hostOf(m), ".svc") {
		return ":" + name[at+1:]
	}
	return ""
}

// where returns the place of a route. The host is left out where its object has no other.
func (c *comparison) where(r route) string {
	if len(c.before.hosts[r.owner]) > 1 || len(c.after.hosts[r.owner]) > 1 {
		return r.place.String()
	}
	return r.place.within()
}

// altered says which routes are kept and change in other ways.
func (c *comparison) altered() {
	for _, p := range c.pairs {
		if !p.isKept() {
			continue
		}
		if p.before.fields.Expression != p.after.fields.Expression {
			c.say(p.after.owner, p.refs(), "%s becomes %s", p.before.place, p.after.place)
		}
		if said := alterations(p); len(said) > 0 {
			c.say(p.after.owner, p.refs(), "%s changes %s", c.where(p.after), strings.Join(said, ", "))
		}
		if p.before.Ref != p.after.Ref && slices.ContainsFunc(p.refs(), func(ref kong.Ref) bool { return !c.covered[ref] }) {
			c.say(p.after.owner, p.refs(), "%s is the same, but Kong's route has another name in metrics and logs: %s becomes %s",
				c.where(p.after), p.before.Name, p.after.Name)
		}
	}
}

// silent are the fields of routes whose changes follow from others that are told.
var silent = []string{"id", "name", "service", "expression", "tags"}

func alterations(p pair) (said []string) {
	for _, name := range differing(p.before.JSON, p.after.JSON) {
		switch {
		case slices.Contains(silent, name), name == "priority" && p.before.fields.Expression != p.after.fields.Expression:
		case name == "priority":
			said = append(said, "its precedence among other routes")
		default:
			said = append(said, alteration(name, p.before.JSON, p.after.JSON))
		}
	}
	return said
}

// alteration returns how a field changes: "strip_path from true to false".
func alteration(name string, before, after []byte) string {
	value := func(of []byte) string {
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(of, &fields)
		return cmp.Or(string(fields[name]), "unset")
	}
	return fmt.Sprintf("%s from %s to %s", name, value(before), value(after))
}

// appeared says which routes are added and removed.
func (c *comparison) appeared() {
	type group struct {
		owner unit.Key
		added bool
	}
	groups := grouped[group, route]{}
	for _, p := range c.pairs {
		if r := p.either(); !p.isKept() && !c.covered[r.Ref] {
			groups.add(group{r.owner, p.isAdded()}, r)
		}
	}
	for _, g := range groups.keys {
		var places []string
		var refs []kong.Ref
		for _, r := range groups.values[g] {
			said := r.place.String()
			if g.added {
				said += " to " + c.after.backendName(r)
			}
			places, refs = append(places, said), append(refs, r.Ref)
		}
		if g.added {
			c.say(g.owner, c.withBackends(refs), "adds %s: %s", plural(len(places), "route"), list(places))
		} else {
			c.say(g.owner, c.withBackends(refs), "no longer serves %s", list(places))
		}
	}
}
