package unit

import (
	"maps"

	"github.com/kube-sync/kube-sync/translate/limit"
)

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
