package manifests

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/kube-sync/kube-sync/e2e/cases"
	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// answersWithin bounds the time until Kong gives all answers of a case.
const answersWithin = 3 * time.Minute

// TestManifests sends the requests of all cases.
func TestManifests(t *testing.T) {
	k := startKong(t)
	cases.Each(t, "testdata/*.txtar", func(t *testing.T, _ string, archive *txtar.Archive) {
		if len(archive.Files) == 0 || len(archive.Files)%2 != 0 {
			t.Fatalf("%d files are no pairs of manifests and requests", len(archive.Files))
		}
		for i := 0; i < len(archive.Files); i += 2 {
			manifests, requests := archive.Files[i], archive.Files[i+1]
			name, ok := strings.CutSuffix(manifests.Name, ".yaml")
			if !ok || requests.Name != name+".requests" {
				t.Fatalf("%s and %s are no pair of manifests and requests", manifests.Name, requests.Name)
			}
			k.follow(t, string(manifests.Data))
			k.answers(t, name, questions(t, string(requests.Data)))
		}
	})
}

// answers waits until all answers are right in one round.
func (k *kong) answers(t *testing.T, step string, all []question) {
	t.Helper()
	eventually.Nil(t, answersWithin, func() error {
		var wrong []string
		for _, q := range all {
			if got := k.ask(q); got != q.want {
				wrong = append(wrong, fmt.Sprintf("%s\n\tis answered %s", q.line, got))
			}
		}
		if len(wrong) > 0 {
			return fmt.Errorf("%s:\n%s\nKong's log:\n%s", step, strings.Join(wrong, "\n"), k.Complaints())
		}
		return nil
	})
}
