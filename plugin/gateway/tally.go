package gateway

import (
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// tally is what a delta needs to know of the configuration that Kong holds.
type tally struct {
	// refs counts the units that an entity is from.
	refs map[kong.Ref]int
	// counts is the number of entities of each type.
	counts map[kong.Type]int
	sum    sum
	// orphaned are the units with entities left out for want of a parent.
	orphaned map[unit.ID]struct{}
	// retained are the units that the graph does not have any more, and kept ones need.
	retained map[unit.ID]struct{}
}

func newTally(p *plan) *tally {
	t := &tally{
		refs: make(map[kong.Ref]int, len(p.refs)), counts: map[kong.Type]int{},
		orphaned: map[unit.ID]struct{}{}, retained: setOf(p.retained),
	}
	for _, part := range p.parts {
		t.add(part)
		for _, e := range part.entities {
			if t.refs[e.Ref] == 1 {
				t.sum.add(e)
			}
		}
	}
	for _, o := range p.orphans {
		t.orphaned[o.id] = struct{}{}
	}
	return t
}

func (t *tally) add(p part) {
	for _, e := range p.entities {
		if t.refs[e.Ref]++; t.refs[e.Ref] == 1 {
			t.counts[e.Type]++
		}
	}
}

func (t *tally) remove(p part) {
	for _, e := range p.entities {
		if t.refs[e.Ref]--; t.refs[e.Ref] == 0 {
			t.counts[e.Type]--
			delete(t.refs, e.Ref)
		}
	}
}

// concerned are the units that a delta looks at: those that changed, those that Kong may
// take now, those that may have found their parents, and those that may not be needed
// any more.
func (g *Gateway) concerned(changed map[unit.ID]struct{}, released []unit.ID) []unit.ID {
	ids := slices.Clone(released)
	for _, set := range []map[unit.ID]struct{}{changed, g.tally.orphaned, g.tally.retained} {
		for id := range set {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, unit.ID.Compare)
	return slices.Compact(ids)
}

// take makes the change part of what Kong is known to hold.
func (g *Gateway) take(c *change, hash string) {
	t := g.tally
	g.undo = g.undoOf(c)
	for _, id := range c.ids {
		t.remove(g.applied[id])
		delete(g.applied, id)
		delete(t.orphaned, id)
		delete(t.retained, id)
		if g.backlog != nil {
			g.backlog.drop(id)
		}
	}
	for _, id := range c.plan.ids {
		t.add(c.plan.parts[id])
		g.applied[id] = c.plan.parts[id]
	}
	for _, o := range c.plan.orphans {
		t.orphaned[o.id] = struct{}{}
	}
	for _, id := range c.plan.retained {
		t.retained[id] = struct{}{}
	}
	t.sum = c.sum
	g.base, g.hash, g.size = g.hash, hash, g.size+c.size
}

func setOf(ids []unit.ID) map[unit.ID]struct{} {
	set := make(map[unit.ID]struct{}, len(ids))
	for _, id := range ids {
		set[id] = struct{}{}
	}
	return set
}
