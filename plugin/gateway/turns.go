package gateway

import (
	"cmp"
	"math"
	"slices"
)

// turn identifies whose units are sent.
type turn struct {
	namespace string
	// last marks cluster-wide units that are being removed. Waiting units may still rely on them, as
	// consumers do on a global plugin. So they are sent after all units that waited before them.
	last bool
}

// isOperators reports whether the units are cluster-wide and not being removed. They come before
// those of namespaces.
func (t turn) isOperators() bool { return t.namespace == "" && !t.last }

// turns determine the order in which a backlog is sent, over all of its pieces.
type turns struct {
	// sent is the cost of what was sent for each turn since the backlog was created.
	sent map[turn]int
	// ahead comes first in the next piece.
	ahead *turn
	piece int
	// apart means that the next piece is for a separated namespace, because the last one was for the
	// others.
	apart bool
}

// queue has the units of a turn, in the order in which they are sent.
type queue struct {
	turn  turn
	units []*item
	// waiting is the number of units that are not taken, and cost their approximate cost.
	waiting, cost int
	unsorted      bool
	// full means that the first unit does not fit into the piece. excluded means that no unit may
	// be in it.
	full, excluded bool
}

func (q *queue) add(w *item) {
	w.queue = q
	q.units = append(q.units, w)
	q.unsorted = true
	q.waiting++
	q.cost += w.cost
}

func (q *queue) take(w *item) {
	w.taken = true
	q.waiting--
	q.cost -= w.cost
}

// first returns the unit that is sent next, or nil.
func (q *queue) first() *item {
	if q.unsorted {
		q.unsorted = false
		q.units = slices.DeleteFunc(q.units, func(w *item) bool { return w.taken })
		slices.SortFunc(q.units, func(a, b *item) int {
			return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(a.rank, b.rank), cmp.Compare(a.cost, b.cost), a.id.Compare(b.id))
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

// beginPiece starts a piece of a backlog. A new turn starts at the lowest cost sent for any turn.
func (t *turns) beginPiece(b *backlog) {
	t.piece++
	least := math.MaxInt
	for at := range b.queues {
		if had, known := t.sent[at]; known && !at.isOperators() {
			least = min(least, had)
		}
	}
	former := t.sent
	t.sent = map[turn]int{}
	for at := range b.queues {
		if had, known := former[at]; known {
			t.sent[at] = had
		} else if least < math.MaxInt && !at.isOperators() {
			t.sent[at] = least
		}
	}
}

// separate restricts a piece either to the namespaces that are not separated, or to a single
// separated one, whose piece may crash workers. The two kinds alternate.
func (t *turns) separate(b *backlog, separated func(namespace string) bool) {
	var one *queue
	others := false
	for at, q := range b.queues {
		if q.excluded = separated(at.namespace); !q.excluded {
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
		q.excluded = q != one
	}
}

// takePiece takes units for a piece, each from the turn with the lowest cost sent so far, and returns
// them and their cost. A turn whose unit does not fit comes first in the next piece.
func (b *backlog) takePiece(t *turns, most int) (piece []*item, used int) {
	ahead := t.ahead
	if ahead == nil || b.queues[*ahead] == nil || !b.queues[*ahead].excluded {
		t.ahead = nil
	}
	for _, q := range b.queues {
		q.full = q.excluded
	}
	for used < most {
		q := b.next(t, ahead)
		if q == nil {
			break
		}
		ahead = nil
		group := b.groupOf(q.first())
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
		if used += cost; !q.turn.isOperators() {
			t.sent[q.turn] += cost
		}
	}
	return piece, used
}

// next returns the queue whose unit is taken next. Of queues that were sent equally much, the
// shortest comes first.
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
		case ahead != nil && *ahead == at && !q.excluded:
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
	return cmp.Or(cmp.Compare(t.sent[a.turn], t.sent[b.turn]), cmp.Compare(a.cost, b.cost), cmp.Compare(a.turn.namespace, b.turn.namespace))
}
