package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// effectiveWithin is how many milliseconds a delta waits for the workers, most of
// which need a few. Requests meet the old configuration meanwhile, and no errors.
const effectiveWithin = 1500

// errNeedsAll is the class of errors after which the whole configuration is to be sent.
var errNeedsAll = errors.New("the change cannot be sent alone")

// applyDelta sends what is different in the units with the ids. An error of the class
// errNeedsAll leaves everything as it was.
func (g *Gateway) applyDelta(ctx context.Context, units Units, ids []unit.ID) (Outcome, error) {
	outcome, err := g.applyPart(ctx, units, ids)
	if !accuses(err) {
		return outcome, err
	}
	if err := g.isolate(ctx, units, g.inParts(units, ids), err); err != nil {
		return Outcome{}, err
	}
	// Nothing is left to send but what hangs on units of different parts.
	return g.applyPart(ctx, units, g.concerned(setOf(ids), nil))
}

// applyPart sends what is different in the units with the ids, as one change. What Kong
// refuses of it is taken out.
func (g *Gateway) applyPart(ctx context.Context, units Units, ids []unit.ID) (Outcome, error) {
	var refused *RefusedError
	for round := range maxRounds {
		c, err := g.change(units, ids)
		if err != nil {
			return Outcome{}, err
		}
		g.relay.Add(c.plan.relays())
		outcome := Outcome{Hash: c.sum.String(), Delta: true, Effective: true, Rounds: round}
		if !c.empty() {
			outcome.Sent, outcome.Rounds = true, round+1
			g.begin(units, c.plan, c.sent())
			g.watched(ctx, c.bytes(), func(ctx context.Context) {
				outcome.Effective, outcome.Bytes, err = c.send(ctx, g.admin, g.hash, outcome.Hash)
			})
			if silent(err) {
				outcome.Effective, err = false, g.aftermath(ctx, outcome.Hash, err)
			}
			g.sent(err, outcome.Effective)
		}
		if err == nil {
			g.take(c, outcome.Hash)
			g.relay.Remove(c.unrelayed)
			outcome.Entities = maps.Clone(g.tally.counts)
			outcome.Refusals, outcome.Retained = g.refusals(units, c.plan), slices.SortedFunc(maps.Keys(g.tally.retained), unit.ID.Compare)
			return outcome, nil
		}
		var isRefused bool
		if refused, isRefused = errors.AsType[*RefusedError](err); isRefused {
			if more := g.yielding(units, c, refused.Entities); len(more) > 0 {
				ids = slices.Concat(c.ids, more)
				continue
			}
		}
		switch {
		case isRefused && refused.saysInUse():
			more := g.others(c, c.cuts) // that hang on what it deletes
			if len(more) == 0 {
				return Outcome{}, fmt.Errorf("%w: %w", errNeedsAll, err)
			}
			ids = slices.Concat(c.ids, more)
		case isRefused && g.quarantine(units, c.plan, refused.Entities) > 0:
		case isRefused, accuses(err), errors.Is(err, ErrBusy), errors.Is(err, ErrUnreachable), ctx.Err() != nil:
			return Outcome{}, err
		default:
			return Outcome{}, fmt.Errorf("%w: %w", errNeedsAll, err)
		}
	}
	return Outcome{}, refused
}

// change is a delta and what follows from it.
type change struct {
	plan    *plan
	ids     []unit.ID
	upserts []*kong.Entity
	deletes []*kong.Entity
	// unrelayed are the deletes that are not Kong's to do.
	unrelayed []*kong.Entity
	// gone are all deletes.
	gone map[kong.Ref]struct{}
	// shared are the entities that change and are also those of units that are not in it.
	shared map[kong.Ref]struct{}
	sum    sum
	// size is by how many bytes the configuration grows.
	size int
}

// sent are the units with entities in the change.
func (c *change) sent() (ids []unit.ID) {
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

// bytes is how much is sent.
func (c *change) bytes() int { return sizeOf(c.upserts) }

func (c *change) empty() bool { return len(c.upserts) == 0 && len(c.deletes) == 0 }

// change finds out what is to be sent for the units with the ids, and for those of the kept
// ones that hang on what they give up.
func (g *Gateway) change(units Units, ids []unit.ID) (*change, error) {
	for {
		c := g.changeOf(units, ids)
		more := g.keptOn(c)
		if len(c.shared) > 0 {
			others := g.others(c, func(last part) bool {
				return slices.ContainsFunc(last.entities, func(e *kong.Entity) bool { _, is := c.shared[e.Ref]; return is })
			})
			if len(others) == 0 {
				return nil, fmt.Errorf("%w: entities are also those of units that are not known", errNeedsAll)
			}
			more = slices.Compact(slices.SortedFunc(slices.Values(append(more, others...)), unit.ID.Compare))
		}
		if len(more) == 0 {
			return c, nil
		}
		ids = slices.Concat(ids, more)
	}
}

func (g *Gateway) changeOf(units Units, ids []unit.ID) *change {
	gone := map[kong.Ref]int{}           // how many of the units with an entity are among ids
	there := map[kong.Ref]*kong.Entity{} // the entities of ids that Kong has
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
	c := &change{ids: ids, sum: g.tally.sum, plan: &plan{
		parts: map[unit.ID]part{}, kept: map[unit.ID]bool{}, refs: map[kong.Ref]struct{}{}, beside: beside,
	}}
	g.choose(units, c)
	c.plan.retain(g.holds, former)
	c.plan.prune()
	c.compare(there, beside)
	return c
}

// choose puts into the plan what each unit is to have in the configuration.
func (g *Gateway) choose(units Units, c *change) {
	for _, id := range c.ids {
		if chosen, kept, ok := g.chosen(units, id); ok {
			c.plan.add(id, chosen)
			if kept {
				c.plan.kept[id] = true
			}
		}
	}
}

// chosen is what a unit is to have in the configuration, and whether that is what Kong
// acknowledged last of a unit that is held. It is not ok for one that goes, unless that is
// retained.
func (g *Gateway) chosen(units Units, id unit.ID) (chosen part, kept, ok bool) {
	view, there := units.View(id)
	held, last := g.holds[id], g.applied[id]
	switch {
	case !there:
		return part{}, false, false
	case held == nil:
		return part{view.Version, view.Object, g.refused.in(view.Entities)}, false, true
	case !held.dropped && last.version != 0:
		return last, true, true
	}
	return part{}, false, false
}

// keptOn names the units at an older version than the graph's, or retained for such ones,
// that hang on what the change deletes and are not in it.
func (g *Gateway) keptOn(c *change) (ids []unit.ID) {
	if len(c.deletes)+len(c.unrelayed) == 0 {
		return nil
	}
	for id, held := range g.holds {
		if !held.dropped && c.cuts(g.applied[id]) {
			ids = append(ids, id)
		}
	}
	for id := range g.tally.retained {
		if c.cuts(g.applied[id]) {
			ids = append(ids, id)
		}
	}
	in := setOf(c.ids)
	return slices.DeleteFunc(ids, func(id unit.ID) bool { _, ok := in[id]; return ok })
}

// others names the units that are not in the change and of which something is true that they
// have in Kong.
func (g *Gateway) others(c *change, is func(part) bool) (ids []unit.ID) {
	in := setOf(c.ids)
	for id, last := range g.applied {
		if _, ok := in[id]; !ok && is(last) {
			ids = append(ids, id)
		}
	}
	return ids
}

// cuts reports whether an entity of a part refers to one that the change deletes.
func (c *change) cuts(p part) bool {
	return slices.ContainsFunc(p.entities, func(e *kong.Entity) bool {
		return slices.ContainsFunc(e.Parents, func(parent kong.Ref) bool { _, gone := c.gone[parent]; return gone })
	})
}

// compare finds what is different in the plan from what Kong has of its units.
func (c *change) compare(there map[kong.Ref]*kong.Entity, beside func(kong.Ref) bool) {
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
	c.deletes, c.unrelayed = kong.Split(c.deletes)
	// What refers to others goes before them.
	slices.Reverse(kong.Sorted(c.deletes))
}

// send has Kong apply the change.
func (c *change) send(ctx context.Context, admin *Admin, base, hash string) (effective bool, bytes int, err error) {
	d := delta{Base: base, Hash: hash, Upserts: map[kong.Type][]json.RawMessage{}}
	for _, e := range c.upserts {
		d.Upserts[e.Type] = append(d.Upserts[e.Type], e.JSON)
		bytes += len(e.JSON)
	}
	for _, e := range c.deletes {
		d.Deletes = append(d.Deletes, deleted{e.Type, e.ID})
	}
	effective, err = admin.change(ctx, d, effectiveWithin)
	return effective, bytes, err
}
