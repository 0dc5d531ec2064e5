package gateway

import (
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// A large change is sent in pieces, in which namespaces take turns: the change of one does not wait
// for all changes of another. After each piece, Kong holds a complete configuration. A unit is never
// divided, so that a route and its plugins are in one piece. A unit is sent with or after the units
// that it refers to.

const (
	// maxPieceCost is the maximum cost of a piece, as of costOf, unless a single unit with its dependencies costs more.
	// Kong takes up to half a second for it.
	maxPieceCost = 500
	// maxPieceCostAlone is the maximum cost of a piece while only one namespace has something to send.
	maxPieceCostAlone = 5000
	// pieceDuration is the time for such a piece. Changes of other namespaces wait for its end.
	pieceDuration = time.Second
)

// pace determines the size of the next piece while only one namespace has something to send.
type pace struct {
	// started and cost are the start time and the cost of the last piece; zero if there was none.
	started time.Time
	cost    int
}

// most returns the maximum cost of the next piece: what fits into the time, but at most twice the
// cost of the last piece, and at least that of any piece.
func (p pace) most(now time.Time, within time.Duration, least int) int {
	most := min(2*p.cost, maxPieceCostAlone)
	if took := now.Sub(p.started); took > 0 {
		most = min(most, int(float64(p.cost)*within.Seconds()/took.Seconds()))
	}
	return max(most, least)
}

// nextPiece chooses the units to send next, from the changed units and those that every delta
// reconsiders, as affected says. left holds the rest.
func (g *Gateway) nextPiece(units Units, changed map[unit.ID]struct{}, released []unit.ID) (piece []unit.ID, left map[unit.ID]struct{}) {
	besides := slices.DeleteFunc(g.affected(nil, released), func(id unit.ID) bool { _, is := changed[id]; return is })
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
	piece = g.updateBacklog(units, ids)
	b, most := g.backlog, g.maxPieceCost
	if g.turns.beginPiece(b); len(b.queues) == 1 {
		most = g.pace.most(g.now(), g.pieceDuration, most)
	}
	g.turns.separate(b, g.isSeparated)
	b.piece, g.pace.cost = b.takePiece(&g.turns, most)
	g.pace.started = g.now()
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

// fitsPiece reports whether the units are small enough to be sent at once.
func (g *Gateway) fitsPiece(units Units, ids iter.Seq[unit.ID]) bool {
	cost := 0
	for id := range ids {
		view, _ := units.View(id)
		for _, e := range view.Entities {
			cost += costOf(e)
		}
		if cost += len(g.applied[id].entities); cost > g.maxPieceCost {
			return false
		}
	}
	return true
}

// separatedFor is how long a namespace is sent separately. If one tenant repeatedly makes workers
// hang, only that tenant's changes wait, and changes of others only if they arrive while a worker
// hangs.
const separatedFor = 10 * time.Minute

func (g *Gateway) isSeparated(namespace string) bool {
	until, is := g.separated[namespace]
	if is && g.now().After(until) {
		delete(g.separated, namespace)
		return false
	}
	return is
}

// mixed reports whether units of separated namespaces and of others are to be sent.
func (g *Gateway) mixed(ids iter.Seq[unit.ID]) bool {
	if len(g.separated) == 0 {
		return false
	}
	var separated, others bool
	for id := range ids {
		if g.isSeparated(id.Namespace) {
			separated = true
		} else {
			others = true
		}
	}
	return separated && others
}

// updateBacklog brings the backlog up to date with the units. It returns the units that have nothing
// to send; they are part of every piece.
func (g *Gateway) updateBacklog(units Units, ids iter.Seq[unit.ID]) (nothing []unit.ID) {
	if g.backlog == nil || g.backlog.tally != g.tally {
		g.backlog = newBacklog(g.tally)
	}
	b := g.backlog
	for _, w := range b.piece { // items still there were not applied
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
		if w == nil || w.volatile || special || !w.current(units) {
			if w = g.backlogItem(units, id); w.cost == 0 {
				nothing = append(nothing, id)
				continue
			}
			w.volatile = special
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

// current reports whether the unit is still at the version of the item.
func (w *item) current(units Units) bool {
	view, there := units.View(w.id)
	return there != w.gone && view.Version == w.version
}
