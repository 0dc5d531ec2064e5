package unit

import (
	"maps"

	"github.com/kube-sync/kube-sync/translate/limit"
)

// Attachable reports whether the unit's object may be attached to a number of sections in all: the
// objects of a namespace have room for so many, and the oldest come first. A unit asks once, and
// for how many must not depend on the answer.
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

// setSections notes to how many sections a node asks to attach its object. As long as there is
// room for all of its namespace, that costs an addition.
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

// ration finds out for which objects there is room at sections, and reports whether some have to
// be translated again.
func (g *Graph) ration() (again bool) {
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
