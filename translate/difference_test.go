package translate_test

import (
	"bytes"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"

	"golang.org/x/tools/txtar"

	"github.com/kube-sync/kube-sync/e2e/cases"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/difference"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// TestDifferences compares two sets of manifests in each case of testdata/difference. The manifests
// of section common are in both.
func TestDifferences(t *testing.T) {
	cases.Each(t, "testdata/difference/*.txtar", func(t *testing.T, file string, archive *txtar.Archive) {
		state := func(name string) difference.State {
			g := translate.New(options(t, archive))
			for _, part := range []string{"common", name} {
				manifests, err := manifest.Read(part, bytes.NewReader(section(archive, part)), kinds.All())
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range manifests.Objects {
					g.Update(unit.Change{Key: m.Key, Object: m.Object})
				}
			}
			return difference.StateOf(g)
		}
		before, after := state("before"), state("after")
		if same := difference.Between(after, state("after")); !same.Empty() {
			t.Errorf("a state differs from itself: %v", same)
		}
		found := difference.Between(before, after)
		var said bytes.Buffer
		for _, s := range found.Sentences {
			fmt.Fprintln(&said, s)
		}
		for _, v := range found.Found {
			fmt.Fprintf(&said, "found %s: %s\n", v.Object, v.Reason)
		}
		for _, v := range found.Solved {
			fmt.Fprintf(&said, "solved %s: %s\n", v.Object, v.Reason)
		}
		if *update {
			set(archive, "difference", said.Bytes())
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		if want := section(archive, "difference"); !bytes.Equal(want, said.Bytes()) {
			t.Errorf("the difference is\n%s\nwant\n%s", said.Bytes(), want)
		}
		wantCovered(t, found)
	})
}

// wantCovered checks that sentences cover all entities that differ, and only those.
func wantCovered(t *testing.T, d difference.Difference) {
	t.Helper()
	covered := map[kong.Ref]bool{}
	for _, s := range d.Sentences {
		if strings.TrimSpace(s.Text) == "" || len(s.Covers) == 0 {
			t.Errorf("the sentence %q covers %v", s, s.Covers)
		}
		for _, ref := range s.Covers {
			covered[ref] = true
		}
	}
	for _, e := range d.Entities {
		if !covered[e.Ref] {
			t.Errorf("no sentence covers the %s %s of %s", e.Ref.Type, e.Name, e.Object)
		}
		delete(covered, e.Ref)
	}
	for ref := range covered {
		t.Errorf("a sentence covers %v, which does not differ", ref)
	}
}

// TestDifferencesOfHistories checks for random changes that the difference has exactly the entities
// that differ, that sentences cover all of them, and that the difference back is the opposite.
func TestDifferencesOfHistories(t *testing.T) {
	for seed := range uint64(20) {
		w := &world{Rand: mathrand.New(mathrand.NewPCG(seed, seed)), objects: map[unit.Key]unit.Object{}}
		g := translate.New(historyOptions(seed))
		before, beforeEntities := difference.StateOf(g), entitiesOf(g)
		for range 60 {
			for range 1 + w.IntN(4) {
				g.Update(w.happen())
			}
			after, afterEntities := difference.StateOf(g), entitiesOf(g)
			d := difference.Between(before, after)
			wantCovered(t, d)
			want := 0
			for ref := range differing(beforeEntities, afterEntities) {
				want++
				if !slices.ContainsFunc(d.Entities, func(c difference.Change) bool { return c.Ref == ref }) {
					t.Errorf("seed %d: %v differs and is not in the difference", seed, ref)
				}
			}
			if len(d.Entities) != want {
				t.Errorf("seed %d: %d entities differ, want %d", seed, len(d.Entities), want)
			}
			back := difference.Between(after, before)
			if len(back.Entities) != want || len(back.Found) != len(d.Solved) || len(back.Solved) != len(d.Found) {
				t.Errorf("seed %d: the difference back is not the opposite", seed)
			}
			before, beforeEntities = after, afterEntities
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func entitiesOf(g *unit.Graph) map[kong.Ref]string {
	all := map[kong.Ref]string{}
	for view := range g.Units() {
		for _, e := range view.Entities {
			all[e.Ref] = string(e.JSON)
		}
	}
	return all
}

// BenchmarkDifference changes the backends of a hundred routes of n, and compares. Translating all
// objects is not part of it.
func BenchmarkDifference(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := translate.New(translate.Options{IngressClass: "kong"})
			g.Update(cluster(n)...)
			for b.Loop() {
				before := difference.StateOf(g)
				for i := range 100 {
					ingress := newIngress(fmt.Sprintf("app-%d", i), fmt.Sprintf("app-%d.example.com", i))
					ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service = &networkingv1.IngressServiceBackend{
						Name: fmt.Sprintf("app-%d", i+1), Port: networkingv1.ServiceBackendPort{Number: 80}}
					g.Update(change(ingress))
				}
				if d := difference.Between(before, difference.StateOf(g)); len(d.Sentences) < 100 {
					b.Fatalf("%d sentences", len(d.Sentences))
				}
				b.StopTimer()
				g.Update(cluster(n)...)
				b.StartTimer()
			}
		})
	}
}
