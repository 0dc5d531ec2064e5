package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
	"github.com/kube-sync/kube-sync/watch/schema"
	"github.com/kube-sync/kube-sync/watch/schema/builtin"
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
	level := ""
	if f.warning {
		level = "warning: "
	}
	return fmt.Sprintf("%s:%d: %s%s", f.file, f.line, level, unit.OneLine(f.text))
}

// check prints what an API server, the translation or a status would say about manifests. Manifests
// that cannot be read do not prevent the check of the others.
func check(t terminal, args []string) error {
	var complete bool
	given := settings.Defaults()
	f := t.flags("check", "FILE... [-complete]")
	f.BoolVar(&complete, "complete", false, "the manifests are complete: a reference to an object that they lack is an error, not a warning")
	settingFlags(f, &given)
	paths, err := t.parseFiles(f, args)
	if err != nil {
		return err
	}
	options := offline(given)
	survey, unread := manifest.SurveyFiles(paths, kinds.All(), admit)
	c := newChecker(survey, graphOf(options, survey.Manifests), options, complete)
	found := c.all()
	faults, warnings := 0, 0
	for _, f := range found {
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
	fmt.Fprintf(t.err, "%s, %s, %s\n", count(len(survey.Objects), "object"), count(faults, "error"), count(warnings, "warning"))
	switch {
	case unread != nil:
		return &unreadableError{unread}
	case faults > 0:
		return errFindings
	case len(survey.Objects)+len(survey.Ignored) == 0:
		return &unreadableError{fmt.Errorf("there are no manifests in %s", strings.Join(paths, ", "))}
	}
	return nil
}

// admit returns an object as an API server would store it, and the reasons for which the server
// would refuse it.
func admit(kind runtimeschema.GroupVersionKind, object []byte) (admitted []byte, refused []error) {
	admitted, refused = schema.Admit(kind, object)
	return admitted, append(refused, builtin.Admit(kind, object)...)
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
