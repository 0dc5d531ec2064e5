package gateway

import (
	"context"
	"slices"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Kong takes a delta back over which a worker ended. What it has then is known, so that it can
// be led on from there by deltas: others do not wait for a load of everything.

// undoOf is the change that takes back one that is about to be taken.
func (g *Gateway) undoOf(c *change) *change {
	undo := &change{ids: slices.Clone(c.ids), sum: g.tally.sum, size: -c.size, plan: &plan{parts: map[unit.ID]part{}}}
	for _, id := range c.ids {
		last, ok := g.applied[id]
		if !ok {
			continue
		}
		undo.plan.ids = append(undo.plan.ids, id)
		undo.plan.parts[id] = last
		if _, ok := g.tally.orphaned[id]; ok {
			undo.plan.orphans = append(undo.plan.orphans, orphan{id: id})
		}
		if _, ok := g.tally.retained[id]; ok {
			undo.plan.retained = append(undo.plan.retained, id)
		}
	}
	in := setOf(c.ids)
	for _, id := range c.plan.ids { // those that it retains
		if _, ok := in[id]; !ok {
			undo.ids = append(undo.ids, id)
		}
	}
	return undo
}

// takenBack reports whether Kong took the last delta back. If so, that is what the gateway
// knows, and what was sent last is suspected.
func (g *Gateway) takenBack(ctx context.Context, units Units) bool {
	if g.undo == nil || g.tally == nil || g.forceFull {
		return false
	}
	state, err := g.admin.State(ctx)
	if err != nil || !state.Companion || state.Hash == g.hash || state.Hash != g.undo.sum.String() {
		return false
	}
	g.log.Warn("Kong took the last change back, as when a worker ends over it", "hash", g.hash, "now", state.Hash)
	g.relay.Add(g.undo.plan.relays())
	g.take(g.undo, state.Hash)
	g.base, g.undo = "", nil
	g.noted(g.ledger.condemn(g.now()))
	g.recall(units)
	return true
}

// differing are the units of which Kong does not have what they are now.
func (g *Gateway) differing(units Units) map[unit.ID]struct{} {
	ids := map[unit.ID]struct{}{}
	for view := range units.Units() {
		if g.applied[view.ID].version != view.Version {
			ids[view.ID] = struct{}{}
		}
	}
	for id := range g.applied {
		if _, there := units.View(id); !there {
			ids[id] = struct{}{}
		}
	}
	return ids
}
