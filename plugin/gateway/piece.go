package gateway

import (
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// A large change is sent in pieces, in which namespaces take turns: the change of one does not
// wait for all that another has. Each piece is a whole configuration. A unit is never cut, so
// that a route and its plugins come together, and it comes with or after what it refers to.

const (
	// mostInPiece is the cost of a piece, except for that of a single unit with what it needs.
	// Kong takes up to half a second for it.
	mostInPiece = 500
	// mostInPieceOfOne is that of a piece while one namespace alone has something to send.
	mostInPieceOfOne = 5000
	// withinPiece is the time for such a piece: what others change meanwhile waits for its end.
	withinPiece = time.Second
)

// pace is the size of the next piece of a namespace that has something to send alone, by the
// time that the last one took.
type pace struct {
	// begun is when the last piece was begun, and cost what it cost; zero if there was none.
	begun time.Time
	cost  int
}

// most is the cost of the next piece: as much as there is time for, but no more than twice
// that of the last, and no less than that of any piece.
func (p pace) most(now time.Time, within time.Duration, least int) int {
	most := min(2*p.cost, mostInPieceOfOne)
	if took := now.Sub(p.begun); took > 0 {
		most = min(most, int(float64(p.cost)*within.Seconds()/took.Seconds()))
	}
	return max(most, least)
}

// piece chooses what is sent next, of the units that changed and of those that a change looks
// at besides. The rest is left for later pieces.
func (g *Gateway) piece(units Units, changed map[unit.ID]struct{}, released []unit.ID) (piece []unit.ID, left map[unit.ID]struct{}) {
	besides := slices.DeleteFunc(g.concerned(nil, released), func(id unit.ID) bool { _, is := changed[id]; return is })
	ids := func(yield func(unit.ID) bool) {
		for id := range changed {
			if !yield(id) {
				return
			}
		}
		slices.Values(besides)(yield)
	}
	if g.fitsPiece(units, ids) && !g.mixed(ids) {
		g.turns, g.backlog, g.pace = turns{}, nil, pace{}
		return slices.SortedFunc(ids, unit.ID.Compare), nil
	}
	piece = g.follow(units, ids)
	b, most := g.backlog, g.mostInPiece
	if g.turns.join(b); len(b.queues) == 1 {
		most = g.pace.most(g.now(), g.withinPiece, most)
	}
	g.turns.part(b, g.isAccused)
	b.piece, g.pace.cost = b.cut(&g.turns, most)
	g.pace.begun = g.now()
	for _, w := range b.piece {
		piece = append(piece, w.id)
	}
	slices.SortFunc(piece, unit.ID.Compare)
	left = maps.Clone(changed)
	for _, id := range besides {
		left[id] = struct{}{}
	}
	for _, id := range piece {
		delete(left, id)
	}
	return piece, left
}

// fitsPiece reports whether the units are small enough to be sent at once, whatever is
// different in them.
func (g *Gateway) fitsPiece(units Units, ids iter.Seq[unit.ID]) bool {
	cost := 0
	for id := range ids {
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

// accusedFor is how long a namespace is sent apart from others. Whoever lets workers hang by
// one object after the other is the only one whose changes wait for that, but for those that
// come while it is sent.
const accusedFor = 10 * time.Minute

func (g *Gateway) isAccused(namespace string) bool {
	until, is := g.accused[namespace]
	if is && g.now().After(until) {
		delete(g.accused, namespace)
		return false
	}
	return is
}

// mixed reports whether units of namespaces that are accused and others are to be sent.
func (g *Gateway) mixed(ids iter.Seq[unit.ID]) bool {
	if len(g.accused) == 0 {
		return false
	}
	var accused, others bool
	for id := range ids {
		if g.isAccused(id.Namespace) {
			accused = true
		} else {
			others = true
		}
	}
	return accused && others
}

// follow brings the backlog to what there is to send of units. It returns those of which there
// is nothing, which each piece looks at.
func (g *Gateway) follow(units Units, ids iter.Seq[unit.ID]) (nothing []unit.ID) {
	if g.backlog == nil || g.backlog.tally != g.tally {
		g.backlog = newBacklog(g.tally)
	}
	b := g.backlog
	for _, w := range b.piece { // which did not succeed
		if b.units[w.id] == w {
			b.enqueue(w)
		}
	}
	b.piece = nil
	substituted, wanted := g.refused.units(), 0
	b.looks++
	for id := range ids {
		if _, retained := g.tally.retained[id]; retained {
			nothing = append(nothing, id)
			continue
		}
		_, special := substituted[id]
		special = special || g.holds[id] != nil
		w := b.units[id]
		if w == nil || w.special || special || !w.current(units) {
			if w = g.waiting(units, id); w.cost == 0 {
				nothing = append(nothing, id)
				continue
			}
			w.special = special
			b.add(w)
		}
		w.seen = b.looks
		wanted++
	}
	if wanted < len(b.units) {
		for id, w := range b.units {
			if w.seen < b.looks {
				b.drop(id)
			}
		}
	}
	return nothing
}

// current reports whether the unit is at the version at which it was looked at.
func (w *waiting) current(units Units) bool {
	view, there := units.View(w.id)
	return there != w.goes && view.Version == w.version
}
