package gateway

import (
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Kong takes as long for an entity as for this many bytes, or this many bytes of a match in a router.
const (
	bytesPerCost = 4 << 10
	matchPerCost = 20 << 10
)

func costOf(e *kong.Entity) int { return 1 + len(e.JSON)/bytesPerCost + e.Match/matchPerCost }

// item is a unit in the backlog, at a version.
type item struct {
	id      unit.ID
	version uint64
	gone    bool
	// volatile means that the version alone does not determine what is sent.
	volatile bool
	// since is the piece in which the unit was first left for later.
	since, rank int
	// cost counts all upserts, including those that cannot be sent because a parent is missing.
	cost    int
	upserts []*kong.Entity
	// former are the entities that Kong has and that are removed or replaced.
	former []*kong.Entity
	queue  *queue
	taken  bool
	// seen is the last update of the backlog that found the unit.
	seen int
}

// backlog holds the units that are not sent at once. It stays from piece to piece, so that a change
// costs only its own number of entities.
type backlog struct {
	units  map[unit.ID]*item
	queues map[turn]*queue
	// having are the units that change an entity. needing are the units whose entities in Kong
	// refer to it and are removed or replaced.
	having, needing map[kong.Ref][]*item
	// coming are the upserts.
	coming map[kong.Ref][]*kong.Entity
	// tally has the entities of the configuration that the backlog changes.
	tally *tally
	// piece is what was taken last.
	piece []*item
	looks int
}

func newBacklog(of *tally) *backlog {
	return &backlog{
		units: map[unit.ID]*item{}, queues: map[turn]*queue{}, having: map[kong.Ref][]*item{}, needing: map[kong.Ref][]*item{},
		coming: map[kong.Ref][]*kong.Entity{}, tally: of,
	}
}

// add puts a unit into the backlog and replaces its former item.
func (b *backlog) add(w *item) {
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

func (b *backlog) enqueue(w *item) {
	at := turn{w.id.Namespace, w.id.Namespace == "" && w.gone}
	if b.queues[at] == nil {
		b.queues[at] = &queue{turn: at}
	}
	w.taken = false
	b.queues[at].add(w)
}

// drop removes a unit from the backlog, if it is there.
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

// without removes one element from a list.
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

// backlogItem returns what is to be sent of a unit.
func (g *Gateway) backlogItem(units Units, id unit.ID) *item {
	view, _ := units.View(id)
	chosen, _, there := g.partFor(units, id)
	w := &item{id: id, version: view.Version, since: g.turns.piece + 1, gone: !there}
	last := g.applied[id].entities
	if w.rank = dependencyRank(chosen.entities, there); !there {
		w.rank = dependencyRank(last, false)
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

// isOrphan reports whether an entity cannot be sent because a parent neither exists nor is coming.
func (b *backlog) isOrphan(e *kong.Entity) bool {
	return slices.ContainsFunc(e.Parents, func(parent kong.Ref) bool {
		return b.tally.refs[parent] == 0 && !slices.ContainsFunc(b.coming[parent], func(e *kong.Entity) bool { return !b.isOrphan(e) })
	})
}

// costOf returns the cost of some units.
func (b *backlog) costOf(all []*item) (cost int) {
	for _, w := range all {
		cost += len(w.former)
		for _, e := range w.upserts {
			if !b.isOrphan(e) {
				cost += costOf(e)
			}
		}
	}
	return cost
}

// groupOf returns a unit with those that have to be sent with it or before it.
func (b *backlog) groupOf(first *item) []*item {
	group, in := []*item{first}, map[*item]struct{}{first: {}}
	add := func(others []*item) {
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
