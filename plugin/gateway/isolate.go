package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// inParts puts units in an order in which each row of them from the first on can be
// applied without the others: what others refer to comes first, and goes last.
func (g *Gateway) inParts(units Units, ids []unit.ID) []unit.ID {
	place := func(id unit.ID) int {
		view, there := units.View(id)
		if !there {
			view.Entities = g.applied[id].entities
		}
		first := len(kong.Types)
		for _, e := range view.Entities {
			first = min(first, e.Type.Rank())
		}
		if !there {
			return 2*len(kong.Types) + 1 - first
		}
		return first
	}
	places := make(map[unit.ID]int, len(ids))
	for _, id := range ids {
		places[id] = place(id)
	}
	return slices.SortedFunc(slices.Values(ids), func(a, b unit.ID) int {
		return cmp.Or(cmp.Compare(places[a], places[b]), a.Compare(b))
	})
}

// isolate applies a change over which Kong failed in parts, and holds each unit over which
// it fails alone. All others are applied when it returns nil.
func (g *Gateway) isolate(ctx context.Context, units Units, ids []unit.ID, cause error) error {
	for len(ids) > 1 {
		first, second := ids[:len(ids)/2], ids[len(ids)/2:]
		_, err := g.applyPart(ctx, units, first)
		switch {
		case err == nil: // so it failed over the others
			ids = second
			continue
		case !errors.Is(err, ErrFailed):
			return err
		}
		if err := g.isolate(ctx, units, first, err); err != nil {
			return err
		}
		if _, err = g.applyPart(ctx, units, second); !errors.Is(err, ErrFailed) {
			return err
		}
		ids, cause = second, err
	}
	return g.isolated(ctx, units, ids, cause)
}

// isolated is isolate for one unit, over which Kong failed when it was sent with others.
func (g *Gateway) isolated(ctx context.Context, units Units, ids []unit.ID, cause error) error {
	if !silent(cause) {
		// An internal error may pass, and costs no worker.
		if _, err := g.applyPart(ctx, units, ids); !errors.Is(err, ErrFailed) {
			return err
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
		if !g.accuse(units, c.plan, ids[0], cause) {
			return fmt.Errorf("%w: %s is held already: %w", errNeedsAll, ids[0], cause)
		}
		if _, err = g.applyPart(ctx, units, ids); !errors.Is(err, ErrFailed) {
			return err
		}
		cause = err
	}
}

// backWithin is how long Kong may take to answer again after a worker hung or ended.
const backWithin = 5 * time.Second

// took reports whether Kong holds the configuration with the hash after all, although it
// did not say so. It waits for Kong to answer again.
func (g *Gateway) took(ctx context.Context, hash string) bool {
	ctx, cancel := context.WithTimeout(ctx, backWithin)
	defer cancel()
	for {
		if state, err := g.admin.State(ctx); err == nil {
			return state.Hash == hash
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
}
