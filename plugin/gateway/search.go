package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// probe is an entity that makes Kong refuse a configuration that is well
// otherwise: the upstream that it refers to is in none.
var probe = &kong.Entity{
	Ref:  kong.Ref{Type: kong.Targets, ID: "6f1d2c5e-7a5b-5c1e-9d43-0c5a8f3b7e21"},
	Name: "127.0.0.1:1",
	JSON: []byte(`{"id":"6f1d2c5e-7a5b-5c1e-9d43-0c5a8f3b7e21","target":"127.0.0.1:1",` +
		`"upstream":"b7c9e0d4-3f62-5a8e-8b15-2d4e6f708192"}`),
}

// search finds the unit because of which Kong refuses a configuration without a
// word about where, and holds it. Only what changed since the last acknowledged
// configuration can be to blame; a single change needs no question. Otherwise the
// changes are put in order, what others refer to first, and the shortest row of
// them that Kong refuses ends with the culprit: a question to Kong for each
// doubling of their number.
func (g *Gateway) search(ctx context.Context, units Units, p *plan, proven bool, words error) error {
	suspects := g.suspects(p, proven)
	if len(suspects) == 0 {
		return fmt.Errorf("nothing changed that could be to blame: %w", words)
	}
	failed := errors.Is(words, ErrFailed)
	if failed && g.companion {
		rows, err := g.examine(ctx, p, suspects)
		if err != nil {
			return fmt.Errorf("looking for what Kong failed over: %w", err)
		}
		if g.quarantine(units, p, rows) > 0 {
			return nil
		}
	}
	if !silent(words) && (failed || len(suspects) > 1) {
		// A fault that passes, or that Kong sees only after the probe, is not found.
		switch ok, err := g.passes(ctx, units, nil, proven); {
		case err != nil:
			return err
		case ok && failed:
			return g.unstorable(units, p, proven, words)
		case ok:
			return words
		}
	}
	passing, failing := 0, len(suspects)
	for failing-passing > 1 {
		middle := (passing + failing) / 2
		ok, err := g.passes(ctx, units, suspects[middle:], proven)
		if err != nil {
			return fmt.Errorf("looking for what Kong refused: %w", err)
		}
		if ok {
			passing = middle
		} else {
			failing = middle
		}
	}
	culprit := suspects[failing-1]
	if failing < len(suspects) {
		words = g.ofFirst(ctx, units, suspects[failing:], proven, words)
	}
	if !g.takeOut(units, p, culprit, words) {
		return fmt.Errorf("%v is held already: %w", culprit, words)
	}
	return nil
}

// ofFirst returns what Kong says of a culprit without the suspects after it; those before it
// are well. Words about all of them quote what is others', and the culprit's object is told
// what is returned.
func (g *Gateway) ofFirst(ctx context.Context, units Units, later []unit.ID, proven bool, words error) error {
	if _, ok := errors.AsType[*RefusedError](words); !ok {
		return words // Kong failed, and has said nothing of entities
	}
	if refused, ok := errors.AsType[*RefusedError](g.try(ctx, units, later, proven)); ok {
		return refused
	}
	return &RefusedError{Message: "the configuration is invalid with what the object makes"}
}

// unstorable deals with a configuration that Kong accepts and fails to store. That may pass;
// if it happens again there is no room on Kong's disk.
func (g *Gateway) unstorable(units Units, p *plan, proven bool, words error) error {
	g.unstored++
	none := fmt.Errorf("%w: Kong accepts it and cannot store it, as when the volume of its prefix is full: %w", ErrTooLarge, words)
	if g.unstored > 1 && g.makeRoom(units, p, proven, g.unstored-2, none) {
		return nil
	}
	return words
}

// accuse takes the unit out of the next plan over which Kong failed: the entities that
// others can stand for, else all. It reports whether there was anything left to take out.
func (g *Gateway) accuse(units Units, p *plan, id unit.ID, words error) bool {
	row := RefusedEntity{Messages: []string{words.Error()}}
	if g.refused.add(id, p, row) {
		return true
	}
	_, isNew := g.hold(units, p, id, row)
	return isNew
}

// suspects lists the changed units, or all when what Kong holds is not what was
// acknowledged last.
func (g *Gateway) suspects(p *plan, proven bool) []unit.ID {
	first := map[unit.ID]int{}
	for _, id := range p.ids {
		if proven && !g.changed(p, id) {
			continue
		}
		first[id] = len(kong.Types)
		for _, e := range p.parts[id].entities {
			first[id] = min(first[id], e.Type.Rank())
		}
	}
	return slices.SortedFunc(maps.Keys(first), func(a, b unit.ID) int {
		return cmp.Or(cmp.Compare(first[a], first[b]), a.Compare(b))
	})
}

// try asks Kong about the plan without the changes of some units.
func (g *Gateway) try(ctx context.Context, units Units, without []unit.ID, proven bool) error {
	holds := maps.Clone(g.holds)
	for _, id := range without {
		holds[id] = &hold{dropped: !proven || g.holds[id] != nil}
	}
	entities := append(newPlan(units, holds, g.refused, g.applied).entities(), probe)
	body := kong.Declarative(kong.Sorted(entities))
	var err error
	g.watched(ctx, len(body), func(ctx context.Context) { err = g.admin.Check(ctx, body) })
	return err
}

// passes reports whether Kong accepts the plan without the changes of some units.
func (g *Gateway) passes(ctx context.Context, units Units, without []unit.ID, proven bool) (bool, error) {
	err := g.try(ctx, units, without, proven)
	if err == nil {
		return true, nil
	}
	if silent(err) {
		err = g.aftermath(ctx, "", err)
	}
	if _, ok := errors.AsType[*RefusedError](err); ok || errors.Is(err, ErrFailed) {
		return false, nil
	}
	return false, err
}
