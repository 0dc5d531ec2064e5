package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// effectiveWithin is how many milliseconds a delta waits for the workers. Most need only a few.
// Meanwhile they use the old configuration, without errors.
const effectiveWithin = 1500

// errNeedsAll is the class of errors after which the whole configuration has to be sent.
var errNeedsAll = errors.New("the change cannot be sent alone")

// applyDelta sends the changes of some units. After an error of the class errNeedsAll nothing has
// changed.
func (g *Gateway) applyDelta(ctx context.Context, units Units, ids []unit.ID) (Outcome, error) {
	outcome, err := g.applyUnits(ctx, units, ids)
	if !unattributed(err) {
		return outcome, err
	}
	if err := g.bisect(ctx, units, g.inDependencyOrder(units, ids), err); err != nil {
		return Outcome{}, err
	}
	// Only entities that depend on units of several parts are left to send.
	return g.applyUnits(ctx, units, g.affected(setOf(ids), nil))
}

// applyUnits sends the changes of some units as one delta. What Kong refuses is taken out.
func (g *Gateway) applyUnits(ctx context.Context, units Units, ids []unit.ID) (Outcome, error) {
	var refused *adminapi.RefusedError
	for round := range maxRounds {
		c, err := g.planDelta(units, ids)
		if err != nil {
			return Outcome{}, err
		}
		g.relay.Add(c.plan.relays())
		outcome := Outcome{Hash: c.sum.String(), Delta: true, Effective: true, Rounds: round}
		if !c.empty() {
			outcome.Sent, outcome.Rounds = true, round+1
			g.noteSending(units, c.plan, c.units())
			g.withHangWatch(ctx, c.sentBytes(), func(ctx context.Context) {
				outcome.Effective, outcome.Bytes, err = c.send(ctx, g.admin, g.hash, outcome.Hash)
			})
			if unanswered(err) {
				outcome.Effective, err = false, g.classifyUnanswered(ctx, outcome.Hash, err)
			}
			g.noteResult(err, outcome.Effective)
		}
		if err == nil {
			g.commit(c, outcome.Hash)
			g.relay.Remove(c.relayDeletes)
			outcome.Entities = maps.Clone(g.tally.counts)
			outcome.Refusals, outcome.Retained = g.refusals(units, c.plan), slices.SortedFunc(maps.Keys(g.tally.retained), unit.ID.Compare)
			return outcome, nil
		}
		var isRefused bool
		if refused, isRefused = errors.AsType[*adminapi.RefusedError](err); isRefused {
			if more := g.yieldingRivals(units, c, refused.Entities); len(more) > 0 {
				ids = slices.Concat(c.ids, more)
				continue
			}
		}
		switch {
		case isRefused && refused.InUse():
			more := g.otherUnits(c, c.dependsOnDeleted)
			if len(more) == 0 {
				return Outcome{}, fmt.Errorf("%w: %w", errNeedsAll, err)
			}
			ids = slices.Concat(c.ids, more)
		case isRefused && g.quarantine(units, c.plan, refused.Entities) > 0:
		case isRefused, unattributed(err), errors.Is(err, adminapi.ErrBusy), errors.Is(err, adminapi.ErrUnreachable), ctx.Err() != nil:
			return Outcome{}, err
		default:
			return Outcome{}, fmt.Errorf("%w: %w", errNeedsAll, err)
		}
	}
	return Outcome{}, refused
}

// deltaPlan is a delta and its effect on what Kong holds.
type deltaPlan struct {
	plan    *plan
	ids     []unit.ID
	upserts []*kong.Entity
	deletes []*kong.Entity
	// relayDeletes are deleted from the relay and not from Kong.
	relayDeletes []*kong.Entity
	// gone are all deletes.
	gone map[kong.Ref]struct{}
	// shared are the changed entities that units outside of the delta have, too.
	shared map[kong.Ref]struct{}
	sum    sum
	// size is the number of bytes by which the configuration grows.
	size int
}

// units returns the units with entities in the delta.
func (c *deltaPlan) units() (ids []unit.ID) {
	upserts := make(map[*kong.Entity]struct{}, len(c.upserts))
	for _, e := range c.upserts {
		upserts[e] = struct{}{}
	}
	for _, id := range c.plan.ids {
		if slices.ContainsFunc(c.plan.parts[id].entities, func(e *kong.Entity) bool { _, ok := upserts[e]; return ok }) {
			ids = append(ids, id)
		}
	}
	return ids
}

// sentBytes returns the number of bytes that are sent.
func (c *deltaPlan) sentBytes() int { return sizeOf(c.upserts) }

func (c *deltaPlan) empty() bool { return len(c.upserts) == 0 && len(c.deletes) == 0 }

// planDelta computes the delta for some units, and for the held units that depend on what these
// give up.
func (g *Gateway) planDelta(units Units, ids []unit.ID) (*deltaPlan, error) {
	for {
		c := g.planDeltaOnce(units, ids)
		more := g.heldDependents(c)
		if len(c.shared) > 0 {
			others := g.otherUnits(c, func(last part) bool {
				return slices.ContainsFunc(last.entities, func(e *kong.Entity) bool { _, is := c.shared[e.Ref]; return is })
			})
			if len(others) == 0 {
				return nil, fmt.Errorf("%w: units share entities with units that are unknown", errNeedsAll)
			}
			more = slices.Compact(slices.SortedFunc(slices.Values(append(more, others...)), unit.ID.Compare))
		}
		if len(more) == 0 {
			return c, nil
		}
		ids = slices.Concat(ids, more)
	}
}

func (g *Gateway) planDeltaOnce(units Units, ids []unit.ID) *deltaPlan {
	gone := map[kong.Ref]int{}           // the number of units in ids with an entity
	there := map[kong.Ref]*kong.Entity{} // the entities of ids in Kong
	former := make(map[unit.ID]part, len(ids))
	for _, id := range ids {
		last, ok := g.applied[id]
		if !ok {
			continue
		}
		former[id] = last
		for _, e := range last.entities {
			gone[e.Ref]++
			there[e.Ref] = e
		}
	}
	beside := func(ref kong.Ref) bool { return g.tally.refs[ref] > gone[ref] }
	c := &deltaPlan{ids: ids, sum: g.tally.sum, plan: &plan{
		parts: map[unit.ID]part{}, kept: map[unit.ID]bool{}, refs: map[kong.Ref]struct{}{}, elsewhere: beside,
	}}
	g.choose(units, c)
	c.plan.retain(g.holds, former)
	c.plan.prune()
	c.compare(there, beside)
	return c
}

// choose puts the part of each unit into the plan.
func (g *Gateway) choose(units Units, c *deltaPlan) {
	for _, id := range c.ids {
		if chosen, kept, ok := g.partFor(units, id); ok {
			c.plan.add(id, chosen)
			if kept {
				c.plan.kept[id] = true
			}
		}
	}
}

// partFor returns a unit's part of the configuration, and whether it is the last acknowledged one
// of a held unit. ok is false if the unit is removed, unless it is retained.
func (g *Gateway) partFor(units Units, id unit.ID) (chosen part, kept, ok bool) {
	view, there := units.View(id)
	held, last := g.holds[id], g.applied[id]
	switch {
	case !there:
		return part{}, false, false
	case held == nil:
		return part{view.Version, view.Object, g.refused.replace(view.Entities)}, false, true
	case !held.dropped && last.version != 0:
		return last, true, true
	}
	return part{}, false, false
}

// heldDependents returns the units at an older version than the graph's, or retained for such
// units, that depend on what the delta deletes and are not part of it.
func (g *Gateway) heldDependents(c *deltaPlan) (ids []unit.ID) {
	if len(c.deletes)+len(c.relayDeletes) == 0 {
		return nil
	}
	for id, held := range g.holds {
		if !held.dropped && c.dependsOnDeleted(g.applied[id]) {
			ids = append(ids, id)
		}
	}
	for id := range g.tally.retained {
		if c.dependsOnDeleted(g.applied[id]) {
			ids = append(ids, id)
		}
	}
	in := setOf(c.ids)
	return slices.DeleteFunc(ids, func(id unit.ID) bool { _, ok := in[id]; return ok })
}

// otherUnits returns the units outside of the delta whose part in Kong satisfies a condition.
func (g *Gateway) otherUnits(c *deltaPlan, is func(part) bool) (ids []unit.ID) {
	in := setOf(c.ids)
	for id, last := range g.applied {
		if _, ok := in[id]; !ok && is(last) {
			ids = append(ids, id)
		}
	}
	return ids
}

// dependsOnDeleted reports whether an entity of a part refers to one that the delta deletes.
func (c *deltaPlan) dependsOnDeleted(p part) bool {
	return slices.ContainsFunc(p.entities, func(e *kong.Entity) bool {
		return slices.ContainsFunc(e.Parents, func(parent kong.Ref) bool { _, gone := c.gone[parent]; return gone })
	})
}

// compare computes the difference between the plan and what Kong has of its units.
func (c *deltaPlan) compare(there map[kong.Ref]*kong.Entity, beside func(kong.Ref) bool) {
	c.gone, c.shared = map[kong.Ref]struct{}{}, map[kong.Ref]struct{}{}
	d := differenceOf(there, c.plan.entities())
	for _, e := range d.upserts {
		if beside(e.Ref) {
			c.shared[e.Ref] = struct{}{}
		}
		if !e.Type.Local() {
			c.upserts = append(c.upserts, e)
		}
		c.sum.add(e)
		c.size += bytesOf(e)
	}
	d.removed = slices.DeleteFunc(d.removed, func(e *kong.Entity) bool { return beside(e.Ref) })
	for _, old := range d.removed {
		c.deletes = append(c.deletes, old)
		c.gone[old.Ref] = struct{}{}
	}
	for _, old := range append(d.replaced, d.removed...) {
		c.sum.remove(old)
		c.size -= bytesOf(old)
	}
	c.deletes, c.relayDeletes = kong.Split(c.deletes)
	// Delete entities before those that they refer to.
	slices.Reverse(kong.Sorted(c.deletes))
}

// send makes Kong apply the delta.
func (c *deltaPlan) send(ctx context.Context, admin *adminapi.Client, base, hash string) (effective bool, bytes int, err error) {
	d := adminapi.Delta{Base: base, Hash: hash, Upserts: map[kong.Type][]json.RawMessage{}}
	for _, e := range c.upserts {
		d.Upserts[e.Type] = append(d.Upserts[e.Type], e.JSON)
		bytes += len(e.JSON)
	}
	for _, e := range c.deletes {
		d.Deletes = append(d.Deletes, adminapi.Deleted{Type: e.Type, ID: e.ID})
	}
	effective, err = admin.ApplyDelta(ctx, d, effectiveWithin)
	return effective, bytes, err
}

// difference is what leads from some entities to others.
type difference struct {
	// upserts are the entities that are new or replace one of the same type and id.
	upserts []*kong.Entity
	// replaced are the former entities that upserts replace. removed are those without a successor.
	replaced, removed []*kong.Entity
}

// differenceOf compares entities with former ones, which are keyed by type and id.
func differenceOf(former map[kong.Ref]*kong.Entity, entities []*kong.Entity) (d difference) {
	present := make(map[kong.Ref]struct{}, len(entities))
	for _, e := range entities {
		present[e.Ref] = struct{}{}
		old := former[e.Ref]
		if old != nil && old.Equal(e) {
			continue
		}
		d.upserts = append(d.upserts, e)
		if old != nil {
			d.replaced = append(d.replaced, old)
		}
	}
	for ref, old := range former {
		if _, stays := present[ref]; !stays {
			d.removed = append(d.removed, old)
		}
	}
	return d
}
