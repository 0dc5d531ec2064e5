package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kube-sync/kube-sync/plugin/cli/input"
	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// errFindings says that a check has printed findings.
var errFindings = errors.New("findings")

// unreadableError says that manifests cannot be read.
type unreadableError struct{ error }

func (e *unreadableError) Unwrap() error { return e.error }

// finding is an error or a warning about a manifest.
type finding struct {
	file string
	line int
	// warning is true if the finding may not exist in the cluster, which has more objects, or may
	// be intended.
	warning bool
	text    string // "Ingress shop/web: ServiceNotFound: ..."
}

func (f finding) String() string {
	said := unit.OneLine(f.text)
	if f.warning {
		said = "warning: " + said
	}
	if f.file == "" { // an object of a cluster
		return said
	}
	return fmt.Sprintf("%s:%d: %s", f.file, f.line, said)
}

// check prints what an API server, the translation or a status would say about manifests, or about
// the objects of a cluster. Manifests that cannot be read do not prevent the check of the others.
func check(t terminal, args []string) error {
	var complete bool
	given := settings.Defaults()
	f := t.flags("check", "FILE... [-complete] [--cluster]")
	f.BoolVar(&complete, "complete", false, "the manifests are complete: a reference to an object that they lack is an error, not a warning")
	settingFlags(f, &given)
	source, err := t.parseSource(f, args)
	if err != nil {
		return err
	}
	c, unread := newCheck(source, offline(given), complete)
	if c == nil {
		return &unreadableError{unread}
	}
	faults, warnings := 0, 0
	for _, f := range c.all() {
		if f.warning {
			warnings++
		} else {
			faults++
		}
		fmt.Fprintln(t.out, f)
	}
	for _, hint := range c.hints() {
		fmt.Fprintln(t.err, hint)
	}
	fmt.Fprintf(t.err, "%s, %s, %s\n", count(len(c.objects), "object"), count(faults, "error"), count(warnings, "warning"))
	switch {
	case unread != nil:
		return &unreadableError{unread}
	case faults > 0:
		return errFindings
	case len(c.objects)+len(c.survey.Ignored) == 0:
		return &unreadableError{fmt.Errorf("there are no manifests in %s", strings.Join(source.Paths, ", "))}
	}
	return nil
}

// newCheck returns the checker of manifests, of manifests among the objects of a cluster, or of a
// cluster. The error joins the errors of manifests that cannot be read; the checker is nil if
// nothing can be checked.
func newCheck(source input.Source, options translate.Options, complete bool) (*checker, error) {
	if !source.Cluster {
		objects, unread := input.Files(source.Paths)
		return newChecker(objects.Survey, graphOf(options, objects.Survey.Manifests), options, complete), unread
	}
	ctx := context.Background()
	base, err := source.Read(ctx)
	if err != nil {
		return nil, err
	}
	graph, err := base.Graph(ctx, options)
	if err != nil {
		return nil, err
	}
	if len(source.Paths) == 0 {
		c := newChecker(&manifest.Survey{}, graph, options, true)
		for _, change := range base.Changes() {
			c.objects = append(c.objects, manifest.Manifest{Key: change.Key, Object: change.Object})
		}
		c.snapshot = base.Snapshot
		return c, nil
	}
	files, unread := input.Files(source.Paths)
	graph.Update(base.Overlay(files, false, time.Now())...)
	if err := base.Complete(ctx, graph); err != nil {
		return nil, err
	}
	c := newChecker(files.Survey, graph, options, true)
	c.amongOthers = true
	return c, unread
}

// count returns a number of things, such as "2 warnings".
func count(n int, thing string) string {
	if stem, ok := strings.CutSuffix(thing, "y"); ok && n != 1 {
		thing = stem + "ies"
	} else if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// sorted returns findings in the order of the files, without duplicates.
func sorted(found []finding, files []string) []finding {
	slices.SortStableFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(slices.Index(files, a.file), slices.Index(files, b.file)), cmp.Compare(a.line, b.line))
	})
	seen := map[finding]bool{}
	return slices.DeleteFunc(found, func(f finding) bool {
		again := seen[f]
		seen[f] = true
		return again
	})
}
