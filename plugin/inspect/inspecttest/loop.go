// Package inspecttest has a loop for tests of what asks it.
package inspecttest

import (
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/kube-sync/kube-sync/plugin/inspect"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// Loop answers questions about a Kong that holds what manifests make.
type Loop struct {
	Desk  *inspect.Desk
	graph *unit.Graph
}

// Start translates manifests, and answers questions until the test ends.
func Start(t testing.TB, manifests string) *Loop {
	t.Helper()
	file := filepath.Join(t.TempDir(), "manifests.yaml")
	if err := os.WriteFile(file, []byte(manifests), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := manifest.ReadFiles([]string{file}, kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	l := &Loop{Desk: inspect.NewDesk(), graph: translate.New(translate.Options{IngressClass: "kong"})}
	changes := make([]unit.Change, 0, len(read.Objects))
	for _, m := range read.Objects {
		changes = append(changes, unit.Change{Key: m.Key, Object: m.Object})
	}
	l.graph.Update(changes...)
	go func() {
		for {
			select {
			case question := <-l.Desk.Questions():
				question(l)
			case <-t.Context().Done():
				return
			}
		}
	}()
	return l
}

// Report tells a recorder the verdicts of the translation.
func (l *Loop) Report(to *inspect.Recorder) {
	for key, verdicts := range l.graph.AllVerdicts() {
		to.Reported(key, verdicts, false)
	}
}

// Graph implements [inspect.State].
func (l *Loop) Graph() *unit.Graph { return l.graph }

// Held implements [inspect.State].
func (l *Loop) Held() iter.Seq[unit.View] { return l.graph.Units() }

// Settled implements [inspect.State].
func (l *Loop) Settled() bool { return true }
