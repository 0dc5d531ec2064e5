package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// inParts puts units in an order in which each row of them from the first on can be
// applied without the others: what others refer to comes first, and goes last. Of several
// the larger come later, so that these are the ones that do not fit.
func (g *Gateway) inParts(units Units, ids []unit.ID) []unit.ID {
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
		all[i] = placed{id, placeOf(view.Entities, there), sizeOf(view.Entities)}
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

// placeOf is where a unit with the entities is among others: what others refer to comes first,
// and goes last.
func placeOf(entities []*kong.Entity, there bool) int {
	first := len(kong.Types)
	for _, e := range entities {
		first = min(first, e.Type.Rank())
	}
	if !there {
		return 2*len(kong.Types) + 1 - first
	}
	return first
}

// accuses reports whether an error is about what was sent and does not say of what in it.
func accuses(err error) bool {
	_, isRefused := errors.AsType[*RefusedError](err) // which names nothing, or had no end
	return isRefused && !errors.Is(err, errNeedsAll) || errors.Is(err, ErrFailed) || errors.Is(err, ErrTooLarge)
}

// isolate applies in parts a change over which Kong failed, that did not fit, or that it
// refused without naming a part of it, and holds each unit of which that is so alone. All
// others are applied when it returns nil.
func (g *Gateway) isolate(ctx context.Context, units Units, ids []unit.ID, cause error) error {
	if silent(cause) && len(ids) <= mostAlone {
		return g.oneByOne(ctx, units, ids, cause)
	}
	for len(ids) > 1 {
		first, second := ids[:len(ids)/2], ids[len(ids)/2:]
		_, err := g.applyPart(ctx, units, first)
		switch {
		case err == nil: // so it failed over the others
			ids = second
			continue
		case !accuses(err):
			return err
		}
		if err := g.isolate(ctx, units, first, err); err != nil {
			return err
		}
		if _, err = g.applyPart(ctx, units, second); !accuses(err) {
			return err
		}
		ids, cause = second, err
	}
	return g.isolated(ctx, units, ids, cause)
}

// oneAfterTheOther applies what changed in a whole configuration over which a worker hung or
// ended by deltas, as long as that is not very much.
func (g *Gateway) oneAfterTheOther(ctx context.Context, units Units, p *plan, cause error) error {
	ids := g.inParts(units, g.suspects(p, true))
	if len(ids) > mostAlone {
		return errNeedsAll
	}
	return g.oneByOne(ctx, units, ids, cause)
}

// oneByOne is isolate for what costs a worker each time that it is sent. Of the units with
// anything to send the last is to blame if none before it is, and is not sent.
func (g *Gateway) oneByOne(ctx context.Context, units Units, ids []unit.ID, cause error) error {
	c, err := g.change(units, ids)
	if err != nil {
		return err
	}
	sent := setOf(c.sent())
	for i, id := range ids {
		_, suspected := sent[id]
		delete(sent, id)
		if suspected && len(sent) == 0 && cause != nil {
			err = cause
		} else {
			_, err = g.applyPart(ctx, units, ids[i:i+1])
		}
		if accuses(err) {
			err, cause = g.isolated(ctx, units, ids[i:i+1], err), nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isolated is isolate for one unit, over which Kong failed when it was sent with others.
func (g *Gateway) isolated(ctx context.Context, units Units, ids []unit.ID, cause error) error {
	if !silent(cause) && !errors.Is(cause, ErrTooLarge) {
		// An internal error may pass, and costs no worker. What is said of several units quotes
		// what is others'.
		if _, cause = g.applyPart(ctx, units, ids); !accuses(cause) {
			return cause
		}
	}
	for {
		if _, there := units.View(ids[0]); !there {
			return fmt.Errorf("%w: %s cannot be taken out: %w", errNeedsAll, ids[0], cause)
		}
		c, err := g.change(units, ids)
		if err != nil {
			return err
		}
		if !g.takeOut(units, c.plan, ids[0], cause) {
			return fmt.Errorf("%w: %s is held already: %w", errNeedsAll, ids[0], cause)
		}
		if _, err = g.applyPart(ctx, units, ids); !accuses(err) {
			return err
		}
		cause = err
	}
}

// takeOut takes a unit out of the next plan that Kong failed over or has no room for.
func (g *Gateway) takeOut(units Units, p *plan, id unit.ID, cause error) bool {
	if errors.Is(cause, ErrTooLarge) {
		part := p.parts[id]
		return g.leaveOut(units, p, bulk{id, sizeOf(part.entities), part.version}, cause)
	}
	if !g.accuse(units, p, id, cause) {
		return false
	}
	if silent(cause) {
		g.convict(units, id)
	}
	return true
}
