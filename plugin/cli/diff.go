package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kube-sync/kube-sync/plugin/cli/input"
	"github.com/kube-sync/kube-sync/plugin/cli/output"
	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/difference"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// diffFlags are the flags of diff.
type diffFlags struct {
	source   input.Source // of the manifests, and of the cluster
	against  files
	replace  bool
	entities bool
}

// diff prints what applying manifests would change.
func diff(t terminal, args []string) error {
	var d diffFlags
	given := settings.Defaults()
	printer := output.New(t.out)
	f := t.flags("diff", "FILE... [--against FILE | --cluster] [--replace] [--entities] [-o table|json|yaml]")
	f.Var(&d.against, "against", "compare with the manifests in a `FILE` or directory, in place of the cluster; may be repeated")
	f.BoolVar(&d.replace, "replace", false, "the manifests are the whole: objects that they lack are deleted; without it, these stay")
	f.BoolVar(&d.entities, "entities", false, "also print the entities of Kong that differ")
	printer.Flag(f)
	settingFlags(f, &given)
	var err error
	if d.source, err = t.parseSource(f, args); err != nil {
		return err
	}
	if len(d.source.Paths) == 0 || d.source.Cluster && len(d.against) > 0 {
		fmt.Fprintln(t.err, "kube-sync diff: name the manifests to apply, and at most one of --against and --cluster")
		f.Usage()
		return errUsage
	}
	found, applied, err := d.difference(t, offline(given))
	if err != nil {
		return &unreadableError{err}
	}
	result := newDiffResult(found, applied, d.entities)
	if err := printer.Print(result, result.page); err != nil {
		return &unreadableError{err}
	}
	if !found.Empty() {
		return errFindings
	}
	return nil
}

// difference compares the objects before and after the manifests are applied to them.
func (d diffFlags) difference(t terminal, options translate.Options) (difference.Difference, *input.Objects, error) {
	applied, objects, err := d.read(t)
	if err != nil {
		return difference.Difference{}, nil, err
	}
	ctx := context.Background()
	graph, err := objects.Graph(ctx, options)
	if err != nil {
		return difference.Difference{}, nil, err
	}
	before := difference.StateOf(graph)
	graph.Update(objects.Overlay(applied, d.replace, time.Now())...)
	if err := objects.Complete(ctx, graph); err != nil {
		return difference.Difference{}, nil, err
	}
	return difference.Between(before, difference.StateOf(graph)), applied, nil
}

// read returns the manifests and what they are applied to. Both are read at once.
func (d diffFlags) read(t terminal) (applied, base *input.Objects, err error) {
	var manifests, against input.Unvalidated
	var reading errgroup.Group
	reading.Go(func() (err error) {
		manifests, err = input.UnvalidatedFiles(d.source.Paths)
		return err
	})
	reading.Go(func() (err error) {
		if len(d.against) == 0 {
			base, err = input.Cluster(context.Background(), d.source.Access)
			return err
		}
		against, err = input.UnvalidatedFiles(d.against)
		base = against.Objects
		return err
	})
	if err := reading.Wait(); err != nil {
		return nil, nil, err
	}
	refused := manifests.Refused(against)
	for _, fault := range manifests.Survey.Faults {
		refused = append(refused, fmt.Errorf("%v: %v: %w", fault.Position, fault.Key, fault.Err))
	}
	for _, reason := range refused {
		fmt.Fprintln(t.err, unit.OneLine(reason.Error()))
	}
	if len(refused) > 0 {
		return nil, nil, errors.New("an API server would reject the manifests; run kube-sync check for the lines")
	}
	return manifests.Objects, base, nil
}

// diffResult is the form in which a difference is printed.
type diffResult struct {
	Changes  []string       `json:"changes"`
	New      []diffFault    `json:"newFaults,omitempty"`
	Solved   []diffFault    `json:"solvedFaults,omitempty"`
	Count    diffCount      `json:"count"`
	Entities []entityChange `json:"entities,omitempty"`
}

type diffCount struct {
	Added   int `json:"added"`
	Changed int `json:"changed"`
	Removed int `json:"removed"`
}

// diffFault is a fault of an object, and its line if a manifest has the object.
type diffFault struct {
	Object  string `json:"object"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
	Line    string `json:"line,omitempty"` // "shop.yaml:7"
}

// entityChange is an entity of Kong that differs. Secrets are hidden.
type entityChange struct {
	Change string          `json:"change"` // added, changed or removed
	Type   string          `json:"type"`
	Name   string          `json:"name,omitempty"`
	Object string          `json:"object,omitempty"`
	Fields []string        `json:"fields,omitempty"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

func newDiffResult(d difference.Difference, applied *input.Objects, entities bool) diffResult {
	r := diffResult{Changes: []string{}, New: diffFaults(d.Found, applied), Solved: diffFaults(d.Solved, applied)}
	for _, s := range d.Sentences {
		r.Changes = append(r.Changes, s.String())
	}
	for _, e := range d.Entities {
		change := newEntityChange(e)
		switch change.Change {
		case "added":
			r.Count.Added++
		case "removed":
			r.Count.Removed++
		default:
			r.Count.Changed++
		}
		if entities {
			r.Entities = append(r.Entities, change)
		}
	}
	return r
}

func diffFaults(verdicts []unit.Verdict, applied *input.Objects) (faults []diffFault) {
	lines := lineFinder{survey: applied.Survey}
	for _, v := range verdicts {
		f := diffFault{Object: v.Object.String(), Reason: v.Reason, Message: v.Message, Field: string(v.Field)}
		if p, ok := applied.Position(v.Object); ok {
			f.Line = fmt.Sprintf("%s:%d", p.File, lines.lineOf(p, v.Field))
		}
		faults = append(faults, f)
	}
	return faults
}

func newEntityChange(c difference.Change) entityChange {
	change := entityChange{Change: "changed", Type: string(c.Ref.Type), Name: c.Name, Object: c.Object.String(), Fields: c.Fields,
		Before: publicJSON(c.Before), After: publicJSON(c.After)}
	switch {
	case c.Before == nil:
		change.Change = "added"
	case c.After == nil:
		change.Change = "removed"
	}
	return change
}

// publicJSON returns an entity without its secrets; nil for nil.
func publicJSON(e *kong.Entity) json.RawMessage {
	if e == nil {
		return nil
	}
	public, err := redacted(e)
	if err != nil {
		return nil
	}
	return public.JSON
}

// page writes the result for people.
func (r diffResult) page(p *output.Page) {
	for _, change := range r.Changes {
		p.Line(change)
	}
	r.faults(p, "New faults", output.Red, r.New)
	r.faults(p, "Solved faults", output.Green, r.Solved)
	if len(r.Entities) > 0 {
		p.Heading("Entities of Kong")
	}
	for _, e := range r.Entities {
		mark, style := "~", output.Yellow
		switch e.Change {
		case "added":
			mark, style = "+", output.Green
		case "removed":
			mark, style = "-", output.Red
		}
		p.Line(output.Styled(style, mark), e.Type, e.Name, output.Styled(output.Faint, "of "+e.Object))
		for _, name := range e.Fields {
			p.Line("   ", name+":", fieldOf(e.Before, name), "→", fieldOf(e.After, name))
		}
	}
	if len(r.Changes)+len(r.New)+len(r.Solved) == 0 {
		p.Line("Nothing changes.")
		return
	}
	p.Heading(fmt.Sprintf("%s added, %d changed, %d removed", count(r.Count.Added, "entity"), r.Count.Changed, r.Count.Removed))
}

func (r diffResult) faults(p *output.Page, title string, style output.Style, faults []diffFault) {
	if len(faults) > 0 {
		p.Heading(title)
	}
	for _, f := range faults {
		said := output.Styled(style, f.Object+": "+f.Reason+": "+f.Message)
		if f.Line == "" {
			p.Line(said)
		} else {
			p.Line(f.Line+":", said)
		}
	}
}

// fieldOf returns a field of an entity as JSON, or "unset".
func fieldOf(entity json.RawMessage, name string) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(entity, &fields) != nil || fields[name] == nil {
		return "unset"
	}
	return string(fields[name])
}
