package gateway

import (
	"context"
	"slices"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Kong rolls a delta back if a worker crashes over it. The gateway then knows what Kong has, and
// continues with deltas: no change waits for a full load.

// undoOf returns the delta that undoes one that is about to be committed.
func (g *Gateway) undoOf(c *deltaPlan) *deltaPlan {
	undo := &deltaPlan{ids: slices.Clone(c.ids), sum: g.tally.sum, size: -c.size, plan: &plan{parts: map[unit.ID]part{}}}
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
	for _, id := range c.plan.ids { // the retained units
		if _, ok := in[id]; !ok {
			undo.ids = append(undo.ids, id)
		}
	}
	return undo
}

// rolledBack reports whether Kong rolled the last delta back. If so, the gateway does the same, and
// what was sent last becomes suspect.
func (g *Gateway) rolledBack(ctx context.Context, units Units) bool {
	if g.undo == nil || g.tally == nil || g.forceFull {
		return false
	}
	state, err := g.admin.State(ctx)
	if err != nil || !state.Companion || state.Hash == g.hash || state.Hash != g.undo.sum.String() {
		return false
	}
	g.log.Warn("Kong rolled the last change back, as when a worker crashes over it", "hash", g.hash, "now", state.Hash)
	g.relay.Add(g.undo.plan.relays())
	g.commit(g.undo, state.Hash)
	g.base, g.undo = "", nil
	g.warnJournal(g.journal.crashed(g.now()))
	g.holdSuspects(units)
	return true
}

// outdated returns the units whose present version Kong does not have.
func (g *Gateway) outdated(units Units) map[unit.ID]struct{} {
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
