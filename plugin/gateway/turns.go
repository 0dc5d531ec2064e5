package gateway

import (
	"cmp"
	"math"
	"slices"
)

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
	piece int
	// apart means that the next piece is of a namespace that is accused: others came before.
	apart bool
}

// queue is the units of a turn, in the order in which they are sent.
type queue struct {
	turn  turn
	units []*waiting
	// waiting is the number of units that are not taken, and cost about what they cost.
	waiting, cost int
	unsorted      bool
	// full means that the first of them does not fit into the piece, and barred that none does
	// belong into it.
	full, barred bool
}

func (q *queue) add(w *waiting) {
	w.queue = q
	q.units = append(q.units, w)
	q.unsorted = true
	q.waiting++
	q.cost += w.cost
}

func (q *queue) take(w *waiting) {
	w.taken = true
	q.waiting--
	q.cost -= w.cost
}

// first is the unit that is sent next, or nil.
func (q *queue) first() *waiting {
	if q.unsorted {
		q.unsorted = false
		q.units = slices.DeleteFunc(q.units, func(w *waiting) bool { return w.taken })
		slices.SortFunc(q.units, func(a, b *waiting) int {
			return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(a.place, b.place), cmp.Compare(a.cost, b.cost), a.id.Compare(b.id))
		})
	}
	for len(q.units) > 0 && q.units[0].taken {
		q.units = q.units[1:]
	}
	if len(q.units) == 0 {
		return nil
	}
	return q.units[0]
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
	t.had = map[turn]int{}
	for at := range b.queues {
		if had, known := former[at]; known {
			t.had[at] = had
		} else if least < math.MaxInt && !at.free() {
			t.had[at] = least
		}
	}
}

// part bars the turns that are accused from a piece, or all but one of them: workers may end
// over its piece. Both come in turn, the others first.
func (t *turns) part(b *backlog, accused func(namespace string) bool) {
	var one *queue
	others := false
	for at, q := range b.queues {
		if q.barred = accused(at.namespace); !q.barred {
			others = true
		} else if one == nil || t.compare(q, one) < 0 {
			one = q
		}
	}
	apart := one != nil && (!others || t.apart)
	t.apart = one != nil && others && !apart
	if !apart {
		return
	}
	for _, q := range b.queues {
		q.barred = q != one
	}
}

// cut takes units for a piece, of the turn that has had least each time, and returns what they
// cost. A turn whose unit does not fit comes first in the next piece.
func (b *backlog) cut(t *turns, most int) (piece []*waiting, used int) {
	ahead := t.ahead
	if ahead == nil || b.queues[*ahead] == nil || !b.queues[*ahead].barred {
		t.ahead = nil
	}
	for _, q := range b.queues {
		q.full = q.barred
	}
	for used < most {
		q := b.next(t, ahead)
		if q == nil {
			break
		}
		ahead = nil
		group := b.with(q.first())
		cost := b.costOf(group)
		if used > 0 && used+cost > most {
			if q.full = true; t.ahead == nil {
				t.ahead = &q.turn
			}
			continue
		}
		for _, w := range group {
			w.queue.take(w)
		}
		piece = append(piece, group...)
		if used += cost; !q.turn.free() {
			t.had[q.turn] += cost
		}
	}
	return piece, used
}

// next is the queue whose unit is taken next: of those that had as much, the shortest.
func (b *backlog) next(t *turns, ahead *turn) (best *queue) {
	var last *queue
	oldest := math.MaxInt
	for at, q := range b.queues {
		first := q.first()
		switch {
		case first == nil:
			continue
		case at.last:
			last = q
			continue
		case ahead != nil && *ahead == at && !q.barred:
			return q
		}
		oldest = min(oldest, first.since)
		if !q.full && (best == nil || t.compare(q, best) < 0) {
			best = q
		}
	}
	if last != nil && !last.full && last.first().since < oldest {
		return last
	}
	return best
}

func (t *turns) compare(a, b *queue) int {
	return cmp.Or(cmp.Compare(t.had[a.turn], t.had[b.turn]), cmp.Compare(a.cost, b.cost), cmp.Compare(a.turn.namespace, b.turn.namespace))
}
