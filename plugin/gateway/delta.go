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
const effectiveWithin = 2000

// errNeedsAll is the class of errors after which the whole configuration is to be sent.
var errNeedsAll = errors.New("the change cannot be sent alone")

// tally is what a delta needs to know of the configuration that Kong holds.
type tally struct {
	// refs counts the units that an entity is from.
	refs map[kong.Ref]int
	// counts is the number of entities of each type.
	counts map[kong.Type]int
	sum    sum
	// orphaned are the units with entities left out for want of a parent.
	orphaned []unit.ID
	// retained tells that units are in the configuration that the graph does not have.
	retained bool
}

func newTally(p *plan) *tally {
	t := &tally{refs: make(map[kong.Ref]int, len(p.refs)), counts: map[kong.Type]int{}, retained: len(p.retained) > 0}
	for _, part := range p.parts {
		for _, e := range part.entities {
			if t.refs[e.Ref]++; t.refs[e.Ref] == 1 {
				t.counts[e.Type]++
				t.sum.add(e)
			}
		}
	}
	t.orphaned = p.orphaned()
	return t
}

// orphaned names the units with entities left out for want of a parent.
func (p *plan) orphaned() []unit.ID {
	var ids []unit.ID
	for _, o := range p.orphans {
		if !slices.Contains(ids, o.id) {
			ids = append(ids, o.id)
		}
	}
	return ids
}

// concerned are the units that a delta looks at: those that changed, those that Kong
// may take now, and those that may have found their parents.
func (g *Gateway) concerned(changed map[unit.ID]struct{}, released []unit.ID) []unit.ID {
	ids := slices.Concat(released, g.tally.orphaned)
	for id := range changed {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, unit.ID.Compare)
	return slices.Compact(ids)
}

// applyDelta sends what is different in the units with the ids. An error of the class
// errNeedsAll leaves everything as it was.
func (g *Gateway) applyDelta(ctx context.Context, units Units, ids []unit.ID) (Outcome, error) {
	outcome, err := g.applyPart(ctx, units, ids)
	if !errors.Is(err, ErrFailed) {
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
	for round := range maxRounds {
		c, err := g.change(units, ids)
		if err != nil {
			return Outcome{}, err
		}
		g.relay.Add(c.plan.relays())
		outcome := Outcome{Hash: c.sum.String(), Delta: true, Effective: true, Rounds: round}
		if !c.empty() {
			outcome.Sent, outcome.Rounds = true, round+1
			outcome.Effective, outcome.Bytes, err = c.send(ctx, g.admin, g.hash, outcome.Hash)
		}
		if silent(err) && g.took(ctx, outcome.Hash) {
			outcome.Effective, err = false, nil
		}
		if err == nil {
			g.take(c, outcome.Hash)
			g.relay.Remove(c.unrelayed)
			outcome.Entities = maps.Clone(g.tally.counts)
			outcome.Refusals = g.refusals(units, c.plan)
			return outcome, nil
		}
		refused, isRefused := errors.AsType[*RefusedError](err)
		switch {
		case isRefused && !refused.of(inUse) && g.quarantine(units, c.plan, refused.Entities) > 0:
		case errors.Is(err, ErrBusy), errors.Is(err, ErrUnreachable), errors.Is(err, ErrFailed), ctx.Err() != nil:
			return Outcome{}, err
		default:
			return Outcome{}, fmt.Errorf("%w: %w", errNeedsAll, err)
		}
	}
	return Outcome{}, errNeedsAll
}

// change is a delta and what follows from it.
type change struct {
	plan    *plan
	ids     []unit.ID
	upserts []*kong.Entity
	deletes []*kong.Entity
	// unrelayed are the deletes that are not Kong's to do.
	unrelayed []*kong.Entity
	sum       sum
}

func (c *change) empty() bool { return len(c.upserts) == 0 && len(c.deletes) == 0 }

// change finds out what is to be sent for the units with the ids.
func (g *Gateway) change(units Units, ids []unit.ID) (*change, error) {
	if g.tally.retained {
		return nil, fmt.Errorf("%w: Kong has units for the sake of refused ones", errNeedsAll)
	}
	gone := map[kong.Ref]int{}           // how many of the units with an entity are among ids
	there := map[kong.Ref]*kong.Entity{} // the entities of ids that Kong has
	for _, id := range ids {
		for _, e := range g.applied[id].entities {
			gone[e.Ref]++
			there[e.Ref] = e
		}
	}
	beside := func(ref kong.Ref) bool { return g.tally.refs[ref] > gone[ref] }
	c := &change{ids: ids, sum: g.tally.sum, plan: &plan{
		parts: map[unit.ID]part{}, kept: map[unit.ID]bool{}, refs: map[kong.Ref]struct{}{}, beside: beside,
	}}
	if err := g.choose(units, c); err != nil {
		return nil, err
	}
	c.plan.prune()
	if err := c.compare(there, beside); err != nil {
		return nil, err
	}
	if len(c.deletes) > 0 && g.keepsOld() {
		return nil, fmt.Errorf("%w: what goes may be what a refused unit hangs on", errNeedsAll)
	}
	return c, nil
}

// choose puts into the plan what each unit is to have in the configuration.
func (g *Gateway) choose(units Units, c *change) error {
	for _, id := range c.ids {
		view, ok := units.View(id)
		held, last := g.holds[id], g.applied[id]
		switch {
		case held == nil && ok:
			c.plan.add(id, part{view.Version, view.Object, g.refused.in(view.Entities)})
		case held != nil && !ok:
			return fmt.Errorf("%w: %s is refused and gone", errNeedsAll, id)
		case held != nil && !held.dropped && last.version != 0:
			c.plan.kept[id] = true
			c.plan.add(id, last)
		}
	}
	return nil
}

// keepsOld tells whether Kong has an older version of a unit than the graph.
func (g *Gateway) keepsOld() bool {
	for id, held := range g.holds {
		if _, applied := g.applied[id]; applied && !held.dropped {
			return true
		}
	}
	return false
}

// compare finds what is different in the plan from what Kong has of its units.
func (c *change) compare(there map[kong.Ref]*kong.Entity, beside func(kong.Ref) bool) error {
	for _, e := range c.plan.entities() {
		old := there[e.Ref]
		if old != nil && old.Equal(e) {
			continue
		}
		if beside(e.Ref) {
			return fmt.Errorf("%w: %s is also another unit's", errNeedsAll, describe(e.Type, e.Name, e.ID))
		}
		if old != nil {
			c.sum.remove(old)
		}
		if !e.Type.Local() {
			c.upserts = append(c.upserts, e)
		}
		c.sum.add(e)
	}
	for ref, old := range there {
		if _, stays := c.plan.refs[ref]; !stays && !beside(ref) {
			c.deletes = append(c.deletes, old)
			c.sum.remove(old)
		}
	}
	c.deletes, c.unrelayed = kong.Split(c.deletes)
	// What refers to others goes before them.
	slices.Reverse(kong.Sorted(c.deletes))
	return nil
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

// take makes the change part of what Kong is known to hold.
func (g *Gateway) take(c *change, hash string) {
	t := g.tally
	for _, id := range c.ids {
		for _, e := range g.applied[id].entities {
			if t.refs[e.Ref]--; t.refs[e.Ref] == 0 {
				t.counts[e.Type]--
				delete(t.refs, e.Ref)
			}
		}
		delete(g.applied, id)
	}
	for _, id := range c.plan.ids {
		part := c.plan.parts[id]
		for _, e := range part.entities {
			if t.refs[e.Ref]++; t.refs[e.Ref] == 1 {
				t.counts[e.Type]++
			}
		}
		g.applied[id] = part
	}
	t.sum = c.sum
	t.orphaned = append(slices.DeleteFunc(t.orphaned, func(id unit.ID) bool { return slices.Contains(c.ids, id) }), c.plan.orphaned()...)
	g.hash = hash
}
