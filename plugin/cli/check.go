package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
	"github.com/kube-sync/kube-sync/watch/schema"
)

// errFindings says that a check found something, which has been printed.
var errFindings = errors.New("findings")

// unreadableError is of manifests that cannot be read at all.
type unreadableError struct{ error }

func (e *unreadableError) Unwrap() error { return e.error }

// finding is one thing that is wrong, or may be.
type finding struct {
	file string
	line int
	// warning tells of what may be well in the cluster, where more objects are.
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

// check prints all that an API server, the translation or a status would say against
// manifests. What can be read is checked even if some can't.
func check(t terminal, args []string) error {
	var (
		paths    files
		complete bool
	)
	given := settings.Defaults()
	f := t.flags("check", "-f FILE [-f FILE ...] [-complete]")
	f.Var(&paths, "f", "manifests: a `FILE`, a directory, or - for standard input; may be repeated")
	f.BoolVar(&complete, "complete", false, "the manifests are all there is: what they refer to and don't have is an error, not a warning")
	settingFlags(f, &given)
	if err := t.parse(f, args); err != nil {
		return err
	}
	if len(paths) == 0 {
		f.Usage()
		return errUsage
	}
	options := offline(given)
	survey, unread := manifest.SurveyFiles(paths, kinds.All(), schema.Admit)
	found := newChecking(survey, graphOf(options, survey.Manifests), options).all()
	counted := false
	for _, f := range found {
		f.warning = f.warning && !complete
		counted = counted || !f.warning
		fmt.Fprintln(t.out, f)
	}
	switch {
	case unread != nil:
		return &unreadableError{unread}
	case counted:
		return errFindings
	}
	return nil
}

// ordered puts findings in the order of the files, without repetitions.
func ordered(found []finding, files []string) []finding {
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
