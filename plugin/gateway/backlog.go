package gateway

import (
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// For so many bytes, and so many of a match in a router, Kong takes as long as for an entity.
const (
	bytesPerCost = 4 << 10
	matchPerCost = 20 << 10
)

func costOf(e *kong.Entity) int { return 1 + len(e.JSON)/bytesPerCost + e.Match/matchPerCost }

// waiting is a unit in the backlog, at a version.
type waiting struct {
	id      unit.ID
	version uint64
	goes    bool
	// special means that the version alone does not say what there is to send.
	special bool
	// since is the piece in which the unit was first left for later.
	since, place int
	// cost counts all upserts, also those that cannot be sent for want of a parent.
	cost    int
	upserts []*kong.Entity
	// former are the entities that Kong has, and is to have no more or as others.
	former []*kong.Entity
	queue  *queue
	taken  bool
	// seen is the last look at the backlog that found it.
	seen int
}

// backlog is units of which not all are sent at once. It stays from one piece to the next, and
// what changes meanwhile costs its own number of entities.
type backlog struct {
	units  map[unit.ID]*waiting
	queues map[turn]*queue
	// having are the units with a change of an entity, and needing those of which Kong has
	// an entity that refers to it and does not stay as it is.
	having, needing map[kong.Ref][]*waiting
	// coming are the upserts.
	coming map[kong.Ref][]*kong.Entity
	// tally has the entities of the configuration that the backlog is a change of.
	tally *tally
	// piece is what was cut last.
	piece []*waiting
	looks int
}

func newBacklog(of *tally) *backlog {
	return &backlog{
		units: map[unit.ID]*waiting{}, queues: map[turn]*queue{}, having: map[kong.Ref][]*waiting{}, needing: map[kong.Ref][]*waiting{},
		coming: map[kong.Ref][]*kong.Entity{}, tally: of,
	}
}

// add puts a unit into the backlog, in place of what it had of that unit.
func (b *backlog) add(w *waiting) {
	if former := b.units[w.id]; former != nil {
		w.since = former.since
		b.drop(w.id)
	}
	b.units[w.id] = w
	for _, e := range w.upserts {
		b.having[e.Ref] = append(b.having[e.Ref], w)
		b.coming[e.Ref] = append(b.coming[e.Ref], e)
	}
	for _, e := range w.former {
		b.having[e.Ref] = append(b.having[e.Ref], w)
		for _, parent := range e.Parents {
			b.needing[parent] = append(b.needing[parent], w)
		}
	}
	b.enqueue(w)
}

func (b *backlog) enqueue(w *waiting) {
	at := turn{w.id.Namespace, w.id.Namespace == "" && w.goes}
	if b.queues[at] == nil {
		b.queues[at] = &queue{turn: at}
	}
	w.taken = false
	b.queues[at].add(w)
}

// drop takes a unit out of the backlog, if it is there.
func (b *backlog) drop(id unit.ID) {
	w := b.units[id]
	if w == nil {
		return
	}
	delete(b.units, id)
	if !w.taken {
		w.queue.take(w)
	}
	if w.queue.waiting == 0 && b.queues[w.queue.turn] == w.queue {
		delete(b.queues, w.queue.turn)
	}
	for _, e := range w.upserts {
		without(b.having, e.Ref, w)
		without(b.coming, e.Ref, e)
	}
	for _, e := range w.former {
		without(b.having, e.Ref, w)
		for _, parent := range e.Parents {
			without(b.needing, parent, w)
		}
	}
}

// without takes one of a list out of it.
func without[T comparable](lists map[kong.Ref][]T, ref kong.Ref, one T) {
	list := lists[ref]
	if i := slices.Index(list, one); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	if len(list) == 0 {
		delete(lists, ref)
	} else {
		lists[ref] = list
	}
}

// waiting is what there is to send of a unit.
func (g *Gateway) waiting(units Units, id unit.ID) *waiting {
	view, _ := units.View(id)
	chosen, _, there := g.chosen(units, id)
	w := &waiting{id: id, version: view.Version, since: g.turns.piece + 1, goes: !there}
	last := g.applied[id].entities
	if w.place = placeOf(chosen.entities, there); !there {
		w.place = placeOf(last, false)
	}
	old := make(map[kong.Ref]*kong.Entity, len(last))
	for _, e := range last {
		old[e.Ref] = e
	}
	d := differenceOf(old, chosen.entities)
	w.upserts, w.former = d.upserts, append(d.replaced, d.removed...)
	w.cost = len(w.former)
	for _, e := range w.upserts {
		w.cost += costOf(e)
	}
	return w
}

// orphan reports whether an entity cannot be sent: a parent of it is neither there nor coming.
func (b *backlog) orphan(e *kong.Entity) bool {
	return slices.ContainsFunc(e.Parents, func(parent kong.Ref) bool {
		return b.tally.refs[parent] == 0 && !slices.ContainsFunc(b.coming[parent], func(e *kong.Entity) bool { return !b.orphan(e) })
	})
}

// costOf is what units cost together.
func (b *backlog) costOf(all []*waiting) (cost int) {
	for _, w := range all {
		cost += len(w.former)
		for _, e := range w.upserts {
			if !b.orphan(e) {
				cost += costOf(e)
			}
		}
	}
	return cost
}

// with is a unit and those that have to go with it or before it.
func (b *backlog) with(first *waiting) []*waiting {
	group, in := []*waiting{first}, map[*waiting]struct{}{first: {}}
	add := func(others []*waiting) {
		for _, w := range others {
			if _, known := in[w]; !known && !w.taken {
				in[w] = struct{}{}
				group = append(group, w)
			}
		}
	}
	for i := 0; i < len(group); i++ {
		for _, e := range group[i].upserts {
			add(b.having[e.Ref])
			for _, parent := range e.Parents {
				if b.tally.refs[parent] == 0 {
					add(b.having[parent])
				}
			}
		}
		for _, e := range group[i].former {
			add(b.having[e.Ref])
			add(b.needing[e.Ref])
		}
	}
	return group
}
