package gateway

import (
	"context"
	"errors"
	"iter"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Kong is asked about this much at once: it takes a fraction of a second.
const (
	mostExamined      = 500
	mostExaminedBytes = 1 << 20
)

// examine names the entities of units over which Kong's code fails, whatever else is
// there. The companion looks at each for itself, so that one question finds them all.
func (g *Gateway) examine(ctx context.Context, p *plan, ids []unit.ID) (rows []RefusedEntity, err error) {
	var all []*kong.Entity
	for _, id := range ids {
		all = append(all, p.parts[id].entities...)
	}
	for some := range chunks(all) {
		found, err := blame(some, func(part []*kong.Entity) (err error) {
			g.watched(ctx, sizeOf(part), func(ctx context.Context) { err = g.admin.failures(ctx, part) })
			return err
		}, g.judge(ctx))
		if err != nil {
			return nil, err
		}
		rows = append(rows, found...)
	}
	return rows, nil
}

// chunks yields entities in parts about which Kong can be asked at once, in each of which an
// id is there once.
func chunks(all []*kong.Entity) iter.Seq[[]*kong.Entity] {
	return func(yield func([]*kong.Entity) bool) {
		var some []*kong.Entity
		refs, bytes := map[kong.Ref]struct{}{}, 0
		for _, e := range all {
			if e.Type.Local() {
				continue
			}
			if _, twice := refs[e.Ref]; twice || len(some) >= mostExamined || bytes > mostExaminedBytes {
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

// judge is what [Gateway.aftermath] makes of a question without an answer.
func (g *Gateway) judge(ctx context.Context) func(error) error {
	return func(failed error) error { return g.aftermath(ctx, "", failed) }
}

// blame asks about entities, and where Kong fails over the question about parts of them,
// until it knows those over which Kong fails. What a question says of entities is in the
// rows too.
func blame(entities []*kong.Entity, ask func([]*kong.Entity) error, judge func(error) error) ([]RefusedEntity, error) {
	if len(entities) == 0 {
		return nil, nil
	}
	err := ask(entities)
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return refused.Entities, nil
	}
	if silent(err) {
		err = judge(err)
	}
	if !errors.Is(err, ErrFailed) {
		return nil, err
	}
	if len(entities) == 1 {
		e := entities[0]
		return []RefusedEntity{{Type: e.Type, ID: e.ID, Name: e.Name, Tags: tagsOf(e), Messages: []string{err.Error()}, Silent: silent(err)}}, nil
	}
	middle := len(entities) / 2
	first, err := blame(entities[:middle], ask, judge)
	if err != nil {
		return nil, err
	}
	second, err := blame(entities[middle:], ask, judge)
	return append(first, second...), err
}
