package unit

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/routing"
)

// account records the cost of a fragment and returns the part that is kept. If it may not fit,
// that is nothing, so that memory holds no more than the limit and one object; the unit is
// translated again once there is room.
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
		g.queueNamespace(ns)
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

// leaveNamespace removes a deleted node from its namespace.
func (g *Graph) leaveNamespace(n *node) {
	ns := g.namespaces[n.id.Namespace]
	if ns == nil {
		return
	}
	ns.total = ns.total.Sub(n.budget.cost)
	delete(ns.nodes, n)
	n.budget = budget{}
	if ns.ranked {
		g.queueNamespace(ns)
	}
	if len(ns.nodes) == 0 {
		delete(g.namespaces, n.id.Namespace)
	}
}

// over returns the bound that a namespace exceeds; nil if there is none.
func (g *Graph) over(ns *namespace) *limit.Exceeded {
	return ns.total.Within(g.limits.Namespace, "the namespace", limit.NamespaceSettings)
}

func (g *Graph) queueNamespace(ns *namespace) {
	if !ns.dirty {
		ns.dirty = true
		g.crowded = append(g.crowded, ns)
	}
}

// rankUnits decides how much room each unit of the queued namespaces has, and reports whether
// some must be translated again.
func (g *Graph) rankUnits() (again bool) {
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
			again = g.setRoom(n, room, over) || again
		}
	}
	g.crowded = nil
	return again
}

// byAge returns units of a namespace in the order in which they get room: by the age of their
// objects, shared units first among equals.
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

// setRoom sets a node's room and reports whether the node must be translated again.
func (g *Graph) setRoom(n *node, room room, over *limit.Exceeded) bool {
	tight := ""
	if room != whole {
		tight = fmt.Sprintf("the objects of namespace %s need more than the %d %s that the setting %s allows. Older objects come first, so %s (entities: %d, bytes: %d)",
			n.id.Namespace, over.Most, over.Unit, over.Setting, consequence[room], n.budget.cost.Entities, n.budget.cost.Bytes)
	}
	if tight != n.budget.tight {
		n.budget.tight = tight
		g.changed.Objects[n.object] = struct{}{}
		g.markStale(n)
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
	g.markStale(n)
	return false
}

var consequence = map[room]string{
	closed:  "this object is applied without plugins and endpoints, and its requests are answered with 503",
	nothing: "this object is left out",
}

// costOf returns the cost of a whole fragment, and that of its closed part.
func costOf(f Fragment) (all, less limit.Cost) {
	all, less = kong.Cost(f.Entities), kong.Cost(closedOf(f.Entities))
	for _, c := range f.Claims {
		all, less = all.Add(kong.Cost(c.Entities)), less.Add(kong.Cost(closedOf(c.Entities)))
	}
	return all, less
}

// kept returns the part of a fragment that there is room for.
func kept(f Fragment, r room) Fragment {
	if r == whole {
		return f
	}
	left := closedOf
	if r == nothing {
		left = func([]*kong.Entity) []*kong.Entity { return nil }
	}
	f.Entities, f.Claims = left(f.Entities), slices.Clone(f.Claims)
	for i := range f.Claims {
		c := &f.Claims[i]
		c.Entities = left(c.Entities)
		if ranked := c.Ranked; ranked != nil && r == nothing {
			c.Ranked = func(routing.Place) []*kong.Entity { return nil }
		} else if ranked != nil {
			c.Ranked = func(place routing.Place) []*kong.Entity { return left(ranked(place)) }
		}
	}
	return f
}

// closedOf returns entities without endpoints, in which refusals replace what they can replace.
func closedOf(entities []*kong.Entity) []*kong.Entity {
	if !slices.ContainsFunc(entities, func(e *kong.Entity) bool { return e.Instead != nil || e.Type == kong.Targets }) {
		return entities
	}
	return slices.DeleteFunc(kong.Substituted(entities), func(e *kong.Entity) bool { return e.Type == kong.Targets })
}

// Attachable reports whether the unit's object may be attached to this total number of sections.
// The limit is for all objects of a namespace, the oldest first. A unit asks at most once, and
// the number must not depend on the answer.
func (r *Reader) Attachable(sections int) bool {
	r.sections = sections
	if n := r.node; sections != n.sections {
		total := sections - n.sections
		if q := r.graph.quotas[n.id.Namespace]; q != nil {
			total += q.total
		}
		n.unattached = sections > 0 && limit.Exceeds(total, r.graph.limits.Attachments)
	}
	return !r.node.unattached
}

// setSections records to how many sections a node asks to attach its object. As long as the
// namespace is within its limit, this is one addition.
func (g *Graph) setSections(n *node, sections int) {
	q := g.quotas[n.id.Namespace]
	if q == nil {
		if sections == 0 {
			return
		}
		q = &quota{nodes: map[*node]struct{}{}}
		g.quotas[n.id.Namespace] = q
	}
	q.total += sections - n.sections
	if n.sections = sections; sections > 0 {
		q.nodes[n] = struct{}{}
	} else {
		delete(q.nodes, n)
		n.unattached = false
	}
	if !q.dirty && (q.tight || limit.Exceeds(q.total, g.limits.Attachments)) {
		q.dirty = true
		g.short = append(g.short, q)
	}
	if len(q.nodes) == 0 {
		delete(g.quotas, n.id.Namespace)
	}
}

// allotSections decides which objects may be attached, and reports whether some have to be
// translated again.
func (g *Graph) allotSections() (again bool) {
	for _, q := range g.short {
		q.dirty, q.tight = false, false
		sum := 0
		for _, n := range g.byAge(maps.Keys(q.nodes)) {
			unattached := limit.Exceeds(sum+n.sections, g.limits.Attachments)
			if q.tight = q.tight || unattached; !unattached {
				sum += n.sections
			}
			if unattached != n.unattached {
				n.unattached, again = unattached, true
				g.mark(n)
			}
		}
	}
	g.short = nil
	return again
}
