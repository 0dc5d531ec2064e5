package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/kube-sync/kube-sync/translate/kong"
)

// mostAsked is how many plugins Kong is asked about before a load. It takes a tenth of
// a millisecond for each; of more, the load itself is the quicker question.
const mostAsked = 1000

// errUnasked says that Kong fails over whatever it is asked.
var errUnasked = errors.New("Kong does not answer questions")

// question is plugins for Kong to look at, each configuration once.
type question struct {
	entities []*kong.Entity
	// vetted are those that Kong has no objection to.
	vetted map[string]struct{}
	// asked are the entities of the plan behind each of the question's.
	asked map[string][]*kong.Entity
}

// stubs stand for what plugins refer to.
var stubs = map[string]*kong.Entity{
	"service":  stub(kong.Services, `"host":"localhost"`),
	"route":    stub(kong.Routes, `"expression":"http.path == \"/\"","priority":0`),
	"consumer": stub(kong.Consumers, `"username":"kube-sync"`),
}

func stub(typ kong.Type, fields string) *kong.Entity {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte("kube-sync/stub/"+typ)).String()
	return &kong.Entity{Ref: kong.Ref{Type: typ, ID: id}, JSON: []byte(`{"id":"` + id + `",` + fields + `}`)}
}

// vet asks Kong about the plugins of a plan that are new to it, without all the rest: a
// fault in what people write by hand costs a question of that size and not a load that
// fails. It returns a [*RefusedError] if there is any that Kong does not take. Whatever
// else comes of the question, the load will tell.
func (g *Gateway) vet(ctx context.Context, p *plan) error {
	q := g.question(p)
	if len(q.entities) == 0 || len(q.entities) > mostAsked {
		return nil
	}
	var rows []RefusedEntity
	for some := range chunks(kong.Sorted(q.entities)) {
		found, err := g.vetSome(ctx, some)
		if err != nil {
			return nil
		}
		rows = append(rows, found...)
	}
	return q.refusal(rows)
}

// vetSome asks about some plugins, and notes those that Kong has no objection to.
func (g *Gateway) vetSome(ctx context.Context, all []*kong.Entity) ([]RefusedEntity, error) {
	answered := true // about all that was asked
	rows, err := blame(all, func(some []*kong.Entity) error {
		err := g.askAbout(ctx, some)
		if errors.Is(err, ErrFailed) && !silent(err) && g.companion {
			// It knows which, and the next question is about the others.
			if failed := g.admin.failures(ctx, some); failed != nil {
				answered = false
				return failed
			}
		}
		if len(some) == len(all) && errors.Is(err, ErrFailed) && !silent(err) && errors.Is(g.askAbout(ctx, nil), ErrFailed) {
			return errUnasked
		}
		return err
	}, g.judge(ctx))
	if err != nil || !answered {
		return rows, err
	}
	refused := map[string]struct{}{}
	for _, row := range rows {
		refused[row.ID] = struct{}{}
	}
	for _, e := range all {
		if _, ok := refused[e.ID]; !ok {
			g.vetted[e.ID] = struct{}{}
		}
	}
	return rows, nil
}

// askAbout asks Kong about plugins. It returns nil if it takes them, and else an error as
// [Admin.Load] does.
func (g *Gateway) askAbout(ctx context.Context, plugins []*kong.Entity) error {
	all := append(slices.Collect(maps.Values(stubs)), probe)
	body := kong.Declarative(kong.Sorted(append(all, plugins...)))
	var answer answer
	var err error
	g.watched(ctx, len(body), func(ctx context.Context) { answer, err = g.admin.post(ctx, "/config?flatten_errors=1", body) })
	if err != nil {
		return err
	}
	err = answer.failure()
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		refused.Entities = slices.DeleteFunc(refused.Entities, func(row RefusedEntity) bool { return row.ID == probe.ID })
	}
	return err
}

// question is about the plugins of a plan that Kong has not acknowledged.
func (g *Gateway) question(p *plan) question {
	q := question{vetted: g.vetted, asked: map[string][]*kong.Entity{}}
	for _, id := range p.ids {
		chosen, last := p.parts[id], g.applied[id]
		if chosen.version == last.version {
			continue
		}
		for _, e := range chosen.entities {
			if e.Type == kong.Plugins && !last.has(e) {
				q.add(e)
			}
		}
	}
	return q
}

// add puts a plugin among those asked about, unless one is that says the same.
func (q *question) add(e *kong.Entity) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(e.JSON, &fields) != nil {
		return
	}
	for _, own := range []string{"id", "tags", "instance_name"} {
		delete(fields, own)
	}
	for name, stub := range stubs {
		if fields[name] != nil {
			fields[name], _ = json.Marshal(stub.ID)
		}
	}
	same, err := json.Marshal(fields)
	if err != nil {
		return
	}
	id := uuid.NewSHA1(uuid.NameSpaceURL, same).String()
	if _, known := q.vetted[id]; known {
		return
	}
	if q.asked[id] == nil {
		fields["id"], _ = json.Marshal(id)
		written, _ := json.Marshal(fields)
		q.entities = append(q.entities, &kong.Entity{Ref: kong.Ref{Type: kong.Plugins, ID: id}, Name: e.Name, JSON: written})
	}
	q.asked[id] = append(q.asked[id], e)
}

// refusal says of the plan's plugins what Kong said of those it was asked about; nil if
// that is nothing.
func (q *question) refusal(rows []RefusedEntity) error {
	of := &RefusedError{Message: "it does not take plugins"}
	for _, row := range rows {
		for _, e := range q.asked[row.ID] {
			about := row
			about.ID, about.Tags = e.ID, tagsOf(e)
			of.Entities = append(of.Entities, about)
		}
	}
	if len(of.Entities) == 0 {
		return nil
	}
	return of
}

func tagsOf(e *kong.Entity) []string {
	var fields struct{ Tags []string }
	_ = json.Unmarshal(e.JSON, &fields)
	return fields.Tags
}
