package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// findCause finds the unit that makes Kong refuse a configuration without naming an entity, and puts
// it on hold. Only units that changed since the last acknowledged configuration can be the cause; if
// there is only one, Kong is not asked. Otherwise findCause sorts the suspects by dependency and bisects
// them. The last unit of the shortest prefix that Kong refuses is the cause.
func (g *Gateway) findCause(ctx context.Context, units Units, p *plan, inSync bool, cause error) error {
	suspects := g.suspects(p, inSync)
	if len(suspects) == 0 {
		return fmt.Errorf("no changed unit can be the cause: %w", cause)
	}
	failed := errors.Is(cause, adminapi.ErrFailed)
	if failed && g.companion {
		rows, err := g.examine(ctx, p, suspects)
		if err != nil {
			return fmt.Errorf("finding the cause of a failure: %w", err)
		}
		if g.quarantine(units, p, rows) > 0 {
			return nil
		}
	}
	if !unanswered(cause) && (failed || len(suspects) > 1) {
		// A temporary fault, or one that Kong sees only after the probe, cannot be found.
		switch ok, err := g.passesWithout(ctx, units, nil, inSync); {
		case err != nil:
			return err
		case ok && failed:
			return g.unstorable(units, p, inSync, cause)
		case ok:
			return cause
		}
	}
	passing, failing := 0, len(suspects)
	for failing-passing > 1 {
		middle := (passing + failing) / 2
		ok, err := g.passesWithout(ctx, units, suspects[middle:], inSync)
		if err != nil {
			return fmt.Errorf("finding the cause of a refusal: %w", err)
		}
		if ok {
			passing = middle
		} else {
			failing = middle
		}
	}
	found := suspects[failing-1]
	if failing < len(suspects) {
		cause = g.refusalOf(ctx, units, suspects[failing:], inSync, cause)
	}
	if !g.takeOut(units, p, found, cause) {
		return fmt.Errorf("%v is held already: %w", found, cause)
	}
	return nil
}

// refusalOf returns Kong's message about the cause alone: it asks Kong again without the later
// suspects. The original message may quote other tenants' objects, and the owner of the cause will
// read the result.
func (g *Gateway) refusalOf(ctx context.Context, units Units, later []unit.ID, inSync bool, cause error) error {
	if _, ok := errors.AsType[*adminapi.RefusedError](cause); !ok {
		return cause // Kong failed, and its message quotes no entities
	}
	if refused, ok := errors.AsType[*adminapi.RefusedError](g.checkWithout(ctx, units, later, inSync)); ok {
		return refused
	}
	return &adminapi.RefusedError{Message: "the configuration is invalid with the entities of this object"}
}

// unstorable handles a configuration that Kong accepts but fails to store. The fault may be
// temporary; if it recurs, Kong's disk is full.
func (g *Gateway) unstorable(units Units, p *plan, inSync bool, cause error) error {
	g.unstored++
	noRoom := fmt.Errorf("%w: Kong accepts it and cannot store it, as when the volume of Kong's prefix is full: %w", adminapi.ErrTooLarge, cause)
	if g.unstored > 1 && g.makeRoom(units, p, inSync, g.unstored-2, noRoom) {
		return nil
	}
	return cause
}

// quarantineOne takes a unit that Kong failed to process out of the next plan: the entities that have
// a substitute, or else the whole unit. It reports whether there was anything to take out.
func (g *Gateway) quarantineOne(units Units, p *plan, id unit.ID, cause error) bool {
	row := adminapi.RefusedEntity{Messages: []string{cause.Error()}, Failed: errors.Is(cause, adminapi.ErrFailed)}
	if g.refused.add(id, p, row) {
		return true
	}
	_, isNew := g.hold(units, p, id, row)
	return isNew
}

// suspects returns the changed units, or all if Kong does not hold what it last acknowledged.
func (g *Gateway) suspects(p *plan, inSync bool) []unit.ID {
	first := map[unit.ID]int{}
	for _, id := range p.ids {
		if inSync && !g.changed(p, id) {
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

// checkWithout asks Kong about the plan without the changes of some units.
func (g *Gateway) checkWithout(ctx context.Context, units Units, without []unit.ID, inSync bool) error {
	holds := maps.Clone(g.holds)
	for _, id := range without {
		holds[id] = &hold{dropped: !inSync || g.holds[id] != nil}
	}
	entities := append(newPlan(units, holds, g.refused, g.applied).entities(), adminapi.Probe)
	body := kong.Declarative(kong.Sorted(entities))
	var err error
	g.withHangWatch(ctx, len(body), func(ctx context.Context) { err = g.admin.Check(ctx, body) })
	return err
}

// passesWithout reports whether Kong accepts the plan without the changes of some units.
func (g *Gateway) passesWithout(ctx context.Context, units Units, without []unit.ID, inSync bool) (bool, error) {
	err := g.checkWithout(ctx, units, without, inSync)
	if err == nil {
		return true, nil
	}
	if unanswered(err) {
		err = g.classifyUnanswered(ctx, "", err)
	}
	if _, ok := errors.AsType[*adminapi.RefusedError](err); ok || errors.Is(err, adminapi.ErrFailed) {
		return false, nil
	}
	return false, err
}

// Kong examines this many entities or bytes in a fraction of a second.
const (
	maxExamined      = 500
	maxExaminedBytes = 1 << 20
)

// examine returns the entities of units that make Kong's code fail. The companion processes each one
// separately, so that one request finds them all.
func (g *Gateway) examine(ctx context.Context, p *plan, ids []unit.ID) (rows []adminapi.RefusedEntity, err error) {
	var all []*kong.Entity
	for _, id := range ids {
		all = append(all, p.parts[id].entities...)
	}
	for some := range chunks(all) {
		found, err := bisectEntities(some, func(part []*kong.Entity) (err error) {
			g.withHangWatch(ctx, sizeOf(part), func(ctx context.Context) { err = g.admin.Examine(ctx, part) })
			return err
		}, g.classifier(ctx))
		if err != nil {
			return nil, err
		}
		rows = append(rows, found...)
	}
	return rows, nil
}

// chunks yields groups of entities that are small enough for one question. No group has the same id
// twice.
func chunks(all []*kong.Entity) iter.Seq[[]*kong.Entity] {
	return func(yield func([]*kong.Entity) bool) {
		var some []*kong.Entity
		refs, bytes := map[kong.Ref]struct{}{}, 0
		for _, e := range all {
			if e.Type.Local() {
				continue
			}
			if _, twice := refs[e.Ref]; twice || len(some) >= maxExamined || bytes > maxExaminedBytes {
				if !yield(some) {
					return
				}
				some, bytes = nil, 0
				clear(refs)
			}
			some, bytes = append(some, e), bytes+len(e.JSON)
			refs[e.Ref] = struct{}{}
		}
		if len(some) > 0 {
			yield(some)
		}
	}
}

// classifier returns a function that classifies unanswered questions.
func (g *Gateway) classifier(ctx context.Context) func(error) error {
	return func(failed error) error { return g.classifyUnanswered(ctx, "", failed) }
}

// bisectEntities asks Kong about the entities, and halves them as long as Kong fails to process the
// request, until it knows the entities that cause the failure. The rows that Kong returns are part of
// the result.
func bisectEntities(entities []*kong.Entity, ask func([]*kong.Entity) error, classify func(error) error) ([]adminapi.RefusedEntity, error) {
	if len(entities) == 0 {
		return nil, nil
	}
	err := ask(entities)
	if refused, ok := errors.AsType[*adminapi.RefusedError](err); ok {
		return refused.Entities, nil
	}
	if unanswered(err) {
		err = classify(err)
	}
	if !errors.Is(err, adminapi.ErrFailed) {
		return nil, err
	}
	if len(entities) == 1 {
		e := entities[0]
		return []adminapi.RefusedEntity{{Type: e.Type, ID: e.ID, Name: e.Name, Tags: tagsOf(e), Messages: []string{err.Error()}, Failed: true, Unanswered: unanswered(err)}}, nil
	}
	middle := len(entities) / 2
	first, err := bisectEntities(entities[:middle], ask, classify)
	if err != nil {
		return nil, err
	}
	second, err := bisectEntities(entities[middle:], ask, classify)
	return append(first, second...), err
}
