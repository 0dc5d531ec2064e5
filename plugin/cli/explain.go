package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/kube-sync/kube-sync/plugin/cli/input"
	"github.com/kube-sync/kube-sync/plugin/cli/output"
	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/translate/explain"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// question are the arguments of explain.
type question struct {
	request explain.Request
	try     bool
	address string
	printer *output.Printer
}

// explainRequest prints what would answer a request. It fails if no backend or plugin would, or if
// the answer to the request that it sends is another one.
func explainRequest(t terminal, args []string) error {
	given := settings.Defaults()
	var method, from, sni string
	var headers files
	q := question{printer: output.New(t.out)}
	f := t.flags("explain", "URL [-f FILE...] [--cluster] [--method METHOD] [--header 'NAME: VALUE']... [--from ADDRESS] [--sni NAME] [--try] [-o table|json|yaml]")
	f.StringVar(&method, "method", "", "the `METHOD` of the request (default GET)")
	f.Var(&headers, "header", "a header of the request, as `'NAME: VALUE'`; may be repeated")
	f.StringVar(&from, "from", "", "the client's `ADDRESS`, which plugins may judge")
	f.StringVar(&sni, "sni", "", "the server `NAME` that a client over TLS sends (default: the URL's host)")
	f.BoolVar(&q.try, "try", false, "send the request, and compare the answer with the prediction")
	f.StringVar(&q.address, "address", "", "with --try: connect to `HOST:PORT`, not to the address in the status of the Gateway or Ingress")
	q.printer.Flag(f)
	settingFlags(f, &given)
	var url string
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		url, args = args[0], args[1:]
	}
	source, err := t.parseSource(f, args)
	if err != nil {
		return err
	}
	if err := q.parse(url, method, from, sni, headers); err != nil {
		fmt.Fprintf(t.err, "kube-sync explain: %v\n", err)
		f.Usage()
		return errUsage
	}
	ctx := context.Background()
	objects, err := source.Read(ctx)
	if err != nil {
		return &unreadableError{err}
	}
	graph, err := objects.Graph(ctx, offline(given))
	if err != nil {
		return err
	}
	return t.explain(q, objects, graph)
}

// parse sets the request.
func (q *question) parse(url, method, from, sni string, headers []string) (err error) {
	if url == "" {
		return errors.New("the first argument is a URL, such as http://shop.example/cart")
	}
	if q.request, err = explain.Parse(url); err != nil {
		return err
	}
	if method != "" {
		q.request.Method = method
	}
	if sni != "" {
		q.request.SNI = sni
	}
	if from != "" {
		if q.request.Source, err = netip.ParseAddr(from); err != nil {
			return fmt.Errorf("--from: %w", err)
		}
	}
	for _, header := range headers {
		name, value, ok := strings.Cut(header, ":")
		if value = strings.TrimSpace(value); !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return fmt.Errorf("--header is 'NAME: VALUE', not %q", header)
		}
		if q.request.Header == nil {
			return errors.New("only requests have headers, not streams")
		}
		q.request.Header.Add(name, value)
	}
	if q.try && !strings.HasPrefix(q.request.Scheme, "http") {
		return errors.New("--try sends requests for http and https only")
	}
	q.request.Time = time.Now()
	return nil
}

// explanation is an answer with the places of its objects.
type explanation struct {
	explain.Answer
	// Positions are "file:line" by the object and the field.
	Positions map[string]string `json:"positions,omitempty"`
	Tried     *trial            `json:"tried,omitempty"`
}

// explain prints the answer to a question about a graph.
func (t terminal) explain(q question, objects *input.Objects, graph *unit.Graph) error {
	e := explanation{Answer: explain.Explain(graph, q.request)}
	e.locate(objects)
	if q.try {
		tried, err := try(q, e.Answer, graph)
		if err != nil {
			return err
		}
		e.Tried = &tried
	}
	if err := q.printer.Print(e, e.write); err != nil {
		return err
	}
	if objects.Survey != nil && len(objects.Survey.Faults) > 0 {
		fmt.Fprintf(t.err, "the manifests have %s: kube-sync check prints them\n", count(len(objects.Survey.Faults), "fault"))
	}
	if served := e.Route != nil && (e.Status < 400 || e.intended()); e.Tried == nil && !served || e.Tried != nil && !e.Tried.AsPredicted {
		return errFindings
	}
	return nil
}

// intended reports whether a plugin answers that an object asks for, such as one that authenticates.
func (e explanation) intended() bool {
	return e.Status < 500 && len(e.Statuses) > 0 && e.Statuses[0].By != "kong"
}

// locate sets the positions of all objects and fields of the answer that are from manifests.
func (e *explanation) locate(objects *input.Objects) {
	if objects.Survey == nil {
		return
	}
	lines := lineFinder{survey: objects.Survey}
	e.Positions = map[string]string{}
	note := func(o explain.Object, path field.Path) {
		if p, ok := objects.Position(o.Key()); ok {
			e.Positions[place(o, path)] = fmt.Sprintf("%s:%d", p.File, lines.lineOf(p, path))
		}
	}
	for _, o := range e.Objects {
		note(o, "")
	}
	if e.Route != nil {
		note(e.Route.Object, e.Route.Field)
	}
	for _, n := range e.Near {
		note(n.Route.Object, n.Route.Field)
	}
	for _, f := range e.Refused {
		note(f.Object, f.Field)
	}
}

// place names a field of an object.
func place(o explain.Object, path field.Path) string {
	return strings.TrimSpace(o.String() + " " + path.String())
}
