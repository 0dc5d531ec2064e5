package unit

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
)

// account notes what a fragment takes, and returns what of it is kept. Of a fragment that
// may not find room nothing is, so that no more is in memory than the limit and one object;
// it is translated again once there is room.
func (g *Graph) account(n *node, fragment Fragment) Fragment {
	if n.id.Namespace == "" {
		return fragment
	}
	cost, less := costOf(fragment)
	ns := g.namespaces[n.id.Namespace]
	if ns == nil {
		if cost == (limit.Cost{}) {
			return fragment
		}
		ns = &namespace{nodes: map[*node]struct{}{}}
		g.namespaces[n.id.Namespace] = ns
	}
	changed := cost != n.budget.cost || less != n.budget.closed
	ns.total = ns.total.Add(cost).Sub(n.budget.cost)
	n.budget.cost, n.budget.closed = cost, less
	over := g.over(ns) != nil
	if over || ns.ranked {
		g.crowd(ns)
	}
	if cost == (limit.Cost{}) {
		delete(ns.nodes, n)
		if n.budget.tight != "" {
			g.changed.Objects[n.object] = struct{}{}
		}
		n.budget = budget{}
		return fragment
	}
	ns.nodes[n] = struct{}{}
	if over && changed {
		n.budget.room = nothing
	}
	return kept(fragment, n.budget.room)
}

// leaveNamespace takes a node that is gone out of its namespace.
func (g *Graph) leaveNamespace(n *node) {
	ns := g.namespaces[n.id.Namespace]
	if ns == nil {
		return
	}
	ns.total = ns.total.Sub(n.budget.cost)
	delete(ns.nodes, n)
	n.budget = budget{}
	if ns.ranked {
		g.crowd(ns)
	}
	if len(ns.nodes) == 0 {
		delete(g.namespaces, n.id.Namespace)
	}
}

// over is the bound that a namespace exceeds; nil if there is none.
func (g *Graph) over(ns *namespace) *limit.Exceeded {
	return ns.total.Within(g.limits.Namespace, "the namespace", limit.NamespaceSettings)
}

func (g *Graph) crowd(ns *namespace) {
	if !ns.dirty {
		ns.dirty = true
		g.crowded = append(g.crowded, ns)
	}
}

// rank finds out for which units there is room, and tells whether some have to be
// translated again.
func (g *Graph) rank() (again bool) {
	for _, ns := range g.crowded {
		ns.dirty, ns.ranked = false, false
		over, sum := g.over(ns), limit.Cost{}
		for _, n := range g.byAge(maps.Keys(ns.nodes)) {
			fits := func(cost limit.Cost) bool {
				return sum.Add(cost).Within(g.limits.Namespace, "", limit.NamespaceSettings) == nil
			}
			room, cost := nothing, limit.Cost{}
			switch {
			case over == nil || fits(n.budget.cost):
				room, cost = whole, n.budget.cost
			case fits(n.budget.closed):
				room, cost = closed, n.budget.closed
			}
			sum = sum.Add(cost)
			ns.ranked = ns.ranked || room != whole
			again = g.grant(n, room, over) || again
		}
	}
	g.crowded = nil
	return again
}

// byAge returns units of a namespace in the order in which they get room, if there is not
// enough for all: by the age of their objects, the shared ones of an age first.
func (g *Graph) byAge(units iter.Seq[*node]) []*node {
	type aged struct {
		*node
		since int64
	}
	var all []aged
	for n := range units {
		since := int64(0)
		if object := g.objects[n.object]; object != nil {
			since = object.GetCreationTimestamp().Unix()
		}
		all = append(all, aged{n, since})
	}
	slices.SortFunc(all, func(a, b aged) int {
		if a.since != b.since {
			return int(max(-1, min(1, a.since-b.since)))
		}
		if a.source != b.source {
			if b.source {
				return -1
			}
			return 1
		}
		return a.id.Compare(b.id)
	})
	nodes := make([]*node, len(all))
	for i, a := range all {
		nodes[i] = a.node
	}
	return nodes
}

// grant gives a node its room. It is true if the node has to be translated again for it.
func (g *Graph) grant(n *node, room room, over *limit.Exceeded) bool {
	tight := ""
	if room != whole {
		tight = fmt.Sprintf("the setting %s allows the objects of namespace %s %d %s, and all of them take more; the oldest come first, and %s (entities: %d, bytes: %d)",
			over.Setting, n.id.Namespace, over.Most, over.Unit, consequence[room], n.budget.cost.Entities, n.budget.cost.Bytes)
	}
	if tight != n.budget.tight {
		n.budget.tight = tight
		g.changed.Objects[n.object] = struct{}{}
		g.stain(n)
	}
	if room == n.budget.room {
		return false
	}
	n.budget.room = room
	if room != nothing {
		g.mark(n)
		return true
	}
	n.fragment = kept(n.fragment, room)
	for i, c := range n.claims {
		c.claim, c.entities = &n.fragment.Claims[i], nil
	}
	g.stain(n)
	return false
}

var consequence = map[room]string{
	closed:  "of this one plugins and endpoints are left out, so that requests are answered 503",
	nothing: "this one is left out",
}

// costOf is what a fragment takes, as a whole and without what can be refused alone.
func costOf(f Fragment) (all, less limit.Cost) {
	all, less = kong.Cost(f.Entities), kong.Cost(without(f.Entities))
	for _, c := range f.Claims {
		all, less = all.Add(kong.Cost(c.Entities)), less.Add(kong.Cost(without(c.Entities)))
	}
	return all, less
}

// kept is a fragment with what there is room for.
func kept(f Fragment, r room) Fragment {
	if r == whole {
		return f
	}
	left := without
	if r == nothing {
		left = func([]*kong.Entity) []*kong.Entity { return nil }
	}
	f.Entities, f.Claims = left(f.Entities), slices.Clone(f.Claims)
	for i := range f.Claims {
		c := &f.Claims[i]
		c.Entities = left(c.Entities)
		if ranked := c.Ranked; ranked != nil && r == nothing {
			c.Ranked = func(kong.Place) []*kong.Entity { return nil }
		} else if ranked != nil {
			c.Ranked = func(place kong.Place) []*kong.Entity { return left(ranked(place)) }
		}
	}
	return f
}

// without are entities in whose place all is refused that can be, and no endpoints.
func without(entities []*kong.Entity) []*kong.Entity {
	if !slices.ContainsFunc(entities, func(e *kong.Entity) bool { return e.Instead != nil || e.Type == kong.Targets }) {
		return entities
	}
	return slices.DeleteFunc(kong.Substituted(entities), func(e *kong.Entity) bool { return e.Type == kong.Targets })
}
