package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
)

// maxAsked is the maximum number of plugins that Kong is asked about before a load. It takes a
// tenth of a millisecond for each; for more plugins, the load itself takes less time.
const maxAsked = 1000

// errNoAnswers means that Kong fails to process every request.
var errNoAnswers = errors.New("Kong fails to process every request")

// question has plugins that Kong is asked about, each configuration once.
type question struct {
	entities []*kong.Entity
	// vetted are the plugins that Kong has accepted.
	vetted map[string]struct{}
	// asked are the entities of the plan for each plugin of the question.
	asked map[string][]*kong.Entity
}

// stubs replace the entities that plugins refer to.
var stubs = map[string]*kong.Entity{
	"service":  stub(kong.Services, `"host":"localhost"`),
	"route":    stub(kong.Routes, `"expression":"http.path == \"/\"","priority":0`),
	"consumer": stub(kong.Consumers, `"username":"kube-sync"`),
}

func stub(typ kong.Type, fields string) *kong.Entity {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte("kube-sync/stub/"+typ)).String()
	return &kong.Entity{Ref: kong.Ref{Type: typ, ID: id}, JSON: []byte(`{"id":"` + id + `",` + fields + `}`)}
}

// vet asks Kong about the plugins of a plan that are new to it, without the rest of the
// configuration. People write plugins by hand: a fault then costs a small question and not a failed
// load. It returns a [*RefusedError] if Kong refuses a plugin. It ignores other errors, as the load
// will report them.
func (g *Gateway) vet(ctx context.Context, p *plan) error {
	q := g.question(p)
	if len(q.entities) == 0 || len(q.entities) > maxAsked {
		return nil
	}
	var rows []adminapi.RefusedEntity
	for some := range chunks(kong.Sorted(q.entities)) {
		found, err := g.vetSome(ctx, some)
		if err != nil {
			return nil
		}
		rows = append(rows, found...)
	}
	return q.refusal(rows)
}

// vetSome asks about some plugins, and notes those that Kong accepts.
func (g *Gateway) vetSome(ctx context.Context, all []*kong.Entity) ([]adminapi.RefusedEntity, error) {
	answered := true // about every plugin
	rows, err := bisectEntities(all, func(some []*kong.Entity) error {
		err := g.askAbout(ctx, some)
		if errors.Is(err, adminapi.ErrFailed) && !unanswered(err) && g.companion {
			// The companion names them, and the next question is about the others.
			if failed := g.admin.Examine(ctx, some); failed != nil {
				answered = false
				return failed
			}
		}
		if len(some) == len(all) && errors.Is(err, adminapi.ErrFailed) && !unanswered(err) && errors.Is(g.askAbout(ctx, nil), adminapi.ErrFailed) {
			return errNoAnswers
		}
		return err
	}, g.classifier(ctx))
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

// askAbout asks Kong about plugins. It returns nil if Kong accepts them, and an error of
// [Admin.Load] otherwise.
func (g *Gateway) askAbout(ctx context.Context, plugins []*kong.Entity) error {
	all := append(slices.Collect(maps.Values(stubs)), adminapi.Probe)
	body := kong.Declarative(kong.Sorted(append(all, plugins...)))
	var err error
	g.withHangWatch(ctx, len(body), func(ctx context.Context) { err = g.admin.CheckFlattened(ctx, body) })
	return err
}

// question returns a question about the plugins of a plan that Kong has not acknowledged.
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

// add adds a plugin to the question, unless the question has one with the same configuration.
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

// refusal returns Kong's answer in terms of the plan's plugins; nil if Kong accepts all.
func (q *question) refusal(rows []adminapi.RefusedEntity) error {
	of := &adminapi.RefusedError{Message: "some plugins are invalid"}
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
