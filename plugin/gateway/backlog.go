package gateway

import (
	"cmp"
	"math"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// A large change is sent in pieces, in which namespaces take turns: the change of one does not
// wait for all that another has. Each piece is a whole configuration. A unit is never cut, so
// that a route and its plugins come together, and it comes with or after what it refers to.

// mostInPiece is the cost of a piece, except for that of a single unit with what it needs. Kong
// takes up to half a second for it.
const mostInPiece = 500

// For so many bytes, and so many of a match in a router, Kong takes as long as for an entity.
const (
	bytesPerCost = 4 << 10
	matchPerCost = 20 << 10
)

func costOf(e *kong.Entity) int { return 1 + len(e.JSON)/bytesPerCost + e.Match/matchPerCost }

// turn is whose units are sent.
type turn struct {
	namespace string
	// last is for what goes and is of no namespace: all that waits may rely on it, such as
	// consumers on a plugin for all requests. It goes after what waited when it came.
	last bool
}

// free reports whether the turn comes before those of namespaces: it is an operator's.
func (t turn) free() bool { return t.namespace == "" && !t.last }

// turns are the order in which a backlog is sent, over all of its pieces.
type turns struct {
	// had is what each turn with units in the backlog was sent since there is one.
	had map[turn]int
	// ahead comes first in the next piece.
	ahead *turn
	// since is in which piece a unit was first left for later.
	since map[unit.ID]int
	piece int
}

// waiting is a unit in the backlog.
type waiting struct {
	id      unit.ID
	since   int
	place   int
	cost    int
	upserts []*kong.Entity
	// former are the entities that Kong has, and is to have no more or as others.
	former []*kong.Entity
	goes   bool
	queue  *queue
	taken  bool
}

// queue is the units of a turn, in the order in which they are sent.
type queue struct {
	turn  turn
	units []*waiting
	// cost is that of the units that are not taken.
	cost int
	// full tells that the first of them does not fit into the piece.
	full bool
}

// backlog is units of which not all are sent at once.
type backlog struct {
	queues map[turn]*queue
	// having are the units with a change of an entity, and needing those of which Kong has
	// an entity that refers to it and does not stay as it is.
	having, needing map[kong.Ref][]*waiting
	stored          map[kong.Ref]int
}

// piece chooses what is sent next of the units with the ids. The rest is left for later pieces.
func (g *Gateway) piece(units Units, ids []unit.ID) (piece []unit.ID, left map[unit.ID]struct{}) {
	if g.fitsPiece(units, ids) {
		g.turns = turns{}
		return ids, nil
	}
	b := g.backlogOf(units, ids)
	g.turns.join(b)
	b.cut(&g.turns, g.mostInPiece)
	left = map[unit.ID]struct{}{}
	for _, q := range b.queues {
		for _, w := range q.units {
			if !w.taken {
				left[w.id] = struct{}{}
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id unit.ID) bool { _, is := left[id]; return is }), left
}

// fitsPiece reports whether the units are small enough to be sent at once, whatever is
// different in them.
func (g *Gateway) fitsPiece(units Units, ids []unit.ID) bool {
	cost := 0
	for _, id := range ids {
		view, _ := units.View(id)
		for _, e := range view.Entities {
			cost += costOf(e)
		}
		if cost += len(g.applied[id].entities); cost > g.mostInPiece {
			return false
		}
	}
	return true
}

func (g *Gateway) backlogOf(units Units, ids []unit.ID) *backlog {
	b := &backlog{
		queues: map[turn]*queue{}, having: map[kong.Ref][]*waiting{}, needing: map[kong.Ref][]*waiting{}, stored: g.tally.refs,
	}
	all := make([]*waiting, 0, len(ids))
	for _, id := range ids {
		if _, retained := g.tally.retained[id]; retained {
			continue // looked at with each piece
		}
		w := g.waiting(units, id)
		for _, e := range w.upserts {
			b.having[e.Ref] = append(b.having[e.Ref], w)
		}
		all = append(all, w)
	}
	b.leaveOutOrphans(all)
	for _, w := range all {
		for _, e := range w.upserts {
			w.cost += costOf(e)
		}
		w.cost += len(w.former)
		for _, e := range w.former {
			if holders := b.having[e.Ref]; !slices.Contains(holders, w) {
				b.having[e.Ref] = append(holders, w)
			}
			for _, parent := range e.Parents {
				b.needing[parent] = append(b.needing[parent], w)
			}
		}
		if w.cost > 0 {
			b.enqueue(w)
		}
	}
	for _, q := range b.queues {
		slices.SortFunc(q.units, func(a, b *waiting) int {
			return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(a.place, b.place), cmp.Compare(a.cost, b.cost), a.id.Compare(b.id))
		})
	}
	return b
}

func (b *backlog) enqueue(w *waiting) {
	at := turn{w.id.Namespace, w.id.Namespace == "" && w.goes}
	if b.queues[at] == nil {
		b.queues[at] = &queue{turn: at}
	}
	w.queue = b.queues[at]
	w.queue.units = append(w.queue.units, w)
	w.queue.cost += w.cost
}

// waiting is what there is to send of a unit.
func (g *Gateway) waiting(units Units, id unit.ID) *waiting {
	chosen, _, there := g.chosen(units, id)
	w := &waiting{id: id, since: g.turns.of(id), place: placeOf(chosen.entities, there), goes: !there}
	last := g.applied[id].entities
	if !there {
		w.place = placeOf(last, false)
	}
	stays := make(map[kong.Ref]struct{}, len(last))
	old := make(map[kong.Ref]*kong.Entity, len(last))
	for _, e := range last {
		old[e.Ref] = e
	}
	for _, e := range chosen.entities {
		if former := old[e.Ref]; former == nil || !former.Equal(e) {
			w.upserts = append(w.upserts, e)
		} else {
			stays[e.Ref] = struct{}{}
		}
	}
	for _, e := range last {
		if _, ok := stays[e.Ref]; !ok {
			w.former = append(w.former, e)
		}
	}
	return w
}

// leaveOutOrphans takes out the entities that cannot be sent for want of a parent, until all
// have theirs.
func (b *backlog) leaveOutOrphans(all []*waiting) {
	for again := true; again; {
		again = false
		for _, w := range all {
			w.upserts = slices.DeleteFunc(w.upserts, func(e *kong.Entity) bool {
				orphan := slices.ContainsFunc(e.Parents, func(parent kong.Ref) bool {
					return b.stored[parent] == 0 && len(b.having[parent]) == 0
				})
				if orphan {
					again = true
					if b.having[e.Ref] = slices.DeleteFunc(b.having[e.Ref], func(other *waiting) bool { return other == w }); len(b.having[e.Ref]) == 0 {
						delete(b.having, e.Ref)
					}
				}
				return orphan
			})
		}
	}
}

// of is since when a unit waits.
func (t *turns) of(id unit.ID) int {
	if since, ok := t.since[id]; ok {
		return since
	}
	return t.piece + 1
}

// join begins a piece of a backlog. A turn that comes to it has had as much as the one that
// had least.
func (t *turns) join(b *backlog) {
	t.piece++
	least := math.MaxInt
	for at := range b.queues {
		if had, known := t.had[at]; known && !at.free() {
			least = min(least, had)
		}
	}
	former := t.had
	t.had, t.since = map[turn]int{}, map[unit.ID]int{}
	for at, q := range b.queues {
		if had, known := former[at]; known {
			t.had[at] = had
		} else if least < math.MaxInt && !at.free() {
			t.had[at] = least
		}
		for _, w := range q.units {
			t.since[w.id] = w.since
		}
	}
}

// cut takes units for a piece, of the turn that has had least each time. One whose unit does
// not fit comes first in the next piece.
func (b *backlog) cut(t *turns, most int) {
	used, ahead := 0, t.ahead
	t.ahead = nil
	for used < most {
		q := b.next(t, ahead)
		if q == nil {
			return
		}
		ahead = nil
		group := b.with(q.units[0])
		cost := costOfAll(group)
		if used > 0 && used+cost > most {
			if q.full = true; t.ahead == nil {
				t.ahead = &q.turn
			}
			continue
		}
		for _, w := range group {
			w.taken = true
			if w.queue != nil {
				w.queue.cost -= w.cost
			}
		}
		if used += cost; !q.turn.free() {
			t.had[q.turn] += cost
		}
	}
}

// next is the queue whose unit is taken next: of those that had as much, the shortest.
func (b *backlog) next(t *turns, ahead *turn) (best *queue) {
	var last *queue
	oldest := math.MaxInt
	for at, q := range b.queues {
		for len(q.units) > 0 && q.units[0].taken {
			q.units = q.units[1:]
		}
		switch {
		case len(q.units) == 0:
			continue
		case at.last:
			last = q
			continue
		case ahead != nil && *ahead == at:
			return q
		}
		oldest = min(oldest, q.units[0].since)
		if !q.full && (best == nil || t.compare(q, best) < 0) {
			best = q
		}
	}
	if last != nil && !last.full && last.units[0].since < oldest {
		return last
	}
	return best
}

func (t *turns) compare(a, b *queue) int {
	return cmp.Or(cmp.Compare(t.had[a.turn], t.had[b.turn]), cmp.Compare(a.cost, b.cost), cmp.Compare(a.turn.namespace, b.turn.namespace))
}

func costOfAll(all []*waiting) (cost int) {
	for _, w := range all {
		cost += w.cost
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
				if b.stored[parent] == 0 {
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
