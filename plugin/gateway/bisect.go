package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// inDependencyOrder sorts units so that any number of them from the first can be applied without
// the others: units that others refer to come first, and are removed last. Larger units come later,
// so that these are left out if there is no room.
func (g *Gateway) inDependencyOrder(units Units, ids []unit.ID) []unit.ID {
	type placed struct {
		id          unit.ID
		place, size int
	}
	all := make([]placed, len(ids))
	for i, id := range ids {
		view, there := units.View(id)
		if !there {
			view.Entities = g.applied[id].entities
		}
		all[i] = placed{id, dependencyRank(view.Entities, there), sizeOf(view.Entities)}
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.size, b.size), a.id.Compare(b.id))
	})
	sorted := make([]unit.ID, len(all))
	for i := range all {
		sorted[i] = all[i].id
	}
	return sorted
}

// dependencyRank returns the place of a unit with the entities in that order.
func dependencyRank(entities []*kong.Entity, there bool) int {
	first := len(kong.Types)
	for _, e := range entities {
		first = min(first, e.Type.Rank())
	}
	if !there {
		return 2*len(kong.Types) + 1 - first
	}
	return first
}

// unattributed reports whether what was sent caused the error, and the error does not name the
// entity.
func unattributed(err error) bool {
	_, isRefused := errors.AsType[*adminapi.RefusedError](err) // without entities, or with new ones in every round
	return isRefused && !errors.Is(err, errNeedsAll) || errors.Is(err, adminapi.ErrFailed) || errors.Is(err, adminapi.ErrTooLarge)
}

// bisect applies parts of a delta that Kong failed to process, that did not fit, or that Kong refused
// without naming an entity. It holds each unit that fails when it is sent alone. When it returns
// nil, all others are applied.
func (g *Gateway) bisect(ctx context.Context, units Units, ids []unit.ID, cause error) error {
	if unanswered(cause) && len(ids) <= maxOneByOne {
		return g.applyOneByOne(ctx, units, ids, cause)
	}
	for len(ids) > 1 {
		first, second := ids[:len(ids)/2], ids[len(ids)/2:]
		_, err := g.applyUnits(ctx, units, first)
		switch {
		case err == nil: // the cause is among the others
			ids = second
			continue
		case !unattributed(err):
			return err
		}
		if err := g.bisect(ctx, units, first, err); err != nil {
			return err
		}
		if _, err = g.applyUnits(ctx, units, second); !unattributed(err) {
			return err
		}
		ids, cause = second, err
	}
	return g.bisectSingle(ctx, units, ids, cause)
}

// applyChangedOneByOne sends deltas with the changes of a whole configuration that a worker hung or
// crashed over. It returns errNeedsAll if there are too many.
func (g *Gateway) applyChangedOneByOne(ctx context.Context, units Units, p *plan, cause error) error {
	ids := g.inDependencyOrder(units, g.suspects(p, true))
	if len(ids) > maxOneByOne {
		return errNeedsAll
	}
	return g.applyOneByOne(ctx, units, ids, cause)
}

// applyOneByOne is bisect for failures that cost a worker each time. If no other unit with changes
// is the cause, the last one is, and is not sent.
func (g *Gateway) applyOneByOne(ctx context.Context, units Units, ids []unit.ID, cause error) error {
	c, err := g.planDelta(units, ids)
	if err != nil {
		return err
	}
	sent := setOf(c.units())
	for i, id := range ids {
		_, suspected := sent[id]
		delete(sent, id)
		if suspected && len(sent) == 0 && cause != nil {
			err = cause
		} else {
			_, err = g.applyUnits(ctx, units, ids[i:i+1])
		}
		if unattributed(err) {
			err, cause = g.bisectSingle(ctx, units, ids[i:i+1], err), nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bisectSingle is bisect for the last unit that can be the cause.
func (g *Gateway) bisectSingle(ctx context.Context, units Units, ids []unit.ID, cause error) error {
	if !unanswered(cause) && !errors.Is(cause, adminapi.ErrTooLarge) {
		// Send it alone: an internal error may be temporary, and costs no worker. A message about
		// several units may quote the objects of others.
		if _, cause = g.applyUnits(ctx, units, ids); !unattributed(cause) {
			return cause
		}
	}
	for {
		if _, there := units.View(ids[0]); !there {
			return fmt.Errorf("%w: %s no longer exists and cannot be held: %w", errNeedsAll, ids[0], cause)
		}
		c, err := g.planDelta(units, ids)
		if err != nil {
			return err
		}
		if !g.takeOut(units, c.plan, ids[0], cause) {
			return fmt.Errorf("%w: %s is held already: %w", errNeedsAll, ids[0], cause)
		}
		if _, err = g.applyUnits(ctx, units, ids); !unattributed(err) {
			return err
		}
		cause = err
	}
}

// takeOut takes a unit out of the next plan that Kong failed to process or has no room for. It reports
// whether there was anything to take out.
func (g *Gateway) takeOut(units Units, p *plan, id unit.ID, cause error) bool {
	if errors.Is(cause, adminapi.ErrTooLarge) {
		part := p.parts[id]
		return g.leaveOut(units, p, candidate{id, sizeOf(part.entities), part.version}, cause)
	}
	if !g.quarantineOne(units, p, id, cause) {
		return false
	}
	if unanswered(cause) {
		g.recordCrash(units, id)
	}
	return true
}
