package unit

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/limit"
)

// meeting returns a graph in which each ConfigMap enters the contest of its label, with the side
// of its label and the points of its data. Points form a tree: a.b is within a and within the
// root.
func meeting(translated func(name string)) *Graph {
	g := NewGraph(limit.Limits{})
	Each(g, claimRole, ConfigMap, Valueless(func(r *Reader, key Key, object *corev1.ConfigMap) Fragment {
		translated(object.Name)
		stays, by := r.Enter(entryOf(object))
		return Fragment{Verdicts: []Verdict{{Object: key, OK: stays, Message: by.Name}}}
	}))
	return g
}

func entryOf(object *corev1.ConfigMap) Entry {
	e := Entry{Contest: Contest{Name: object.Labels["contest"]}, Side: object.Labels["side"], Since: object.CreationTimestamp.Time}
	for own := range object.Data {
		e.Own = append(e.Own, own)
	}
	slices.Sort(e.Own)
	for _, own := range e.Own {
		for name := own; name != ""; {
			name = name[:max(strings.LastIndexByte(name, '.'), 0)]
			if !slices.Contains(e.Own, name) && !slices.Contains(e.Above, name) {
				e.Above = append(e.Above, name)
			}
		}
	}
	return e
}

func entering(name, side string, age int, points ...string) *corev1.ConfigMap {
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name,
		CreationTimestamp: metav1.NewTime(time.Unix(int64(age), 0)), Labels: map[string]string{"side": side}}, Data: map[string]string{}}
	for _, point := range points {
		object.Data[point] = ""
	}
	return object
}

// outcome returns by which entry each one is displaced, found by going through all of them in
// order.
func outcome(objects map[string]*corev1.ConfigMap) map[string]string {
	all := make([]*corev1.ConfigMap, 0, len(objects))
	for _, object := range objects {
		all = append(all, object)
	}
	slices.SortFunc(all, func(a, b *corev1.ConfigMap) int {
		if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	meet := func(a, b *corev1.ConfigMap) bool {
		for x := range a.Data {
			for y := range b.Data {
				if x == y || x == "" || y == "" || strings.HasPrefix(x, y+".") || strings.HasPrefix(y, x+".") {
					return true
				}
			}
		}
		return false
	}
	var stay []*corev1.ConfigMap
	by := map[string]string{}
	for _, object := range all {
		at := slices.IndexFunc(stay, func(other *corev1.ConfigMap) bool {
			return other.Labels["side"] != object.Labels["side"] && other.Labels["contest"] == object.Labels["contest"] && meet(object, other)
		})
		if at >= 0 {
			by[object.Name] = stay[at].Name
			continue
		}
		by[object.Name] = ""
		stay = append(stay, object)
	}
	return by
}

// TestContests holds that after any random history, the outcome depends on the present entries
// only.
func TestContests(t *testing.T) {
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 7))
		objects := map[string]*corev1.ConfigMap{}
		g := meeting(func(string) {})
		for step := range 40 {
			var changes []Change
			for range 1 + r.IntN(4) {
				name := fmt.Sprint("o", r.IntN(9))
				change := Change{Key: Key{Kind: ConfigMap, Namespace: "default", Name: name}}
				if delete(objects, name); r.IntN(4) > 0 {
					var points []string
					for range 1 + r.IntN(2) {
						points = append(points, []string{"", "a", "b", "a.b", "a.c", "a.b.d", "b.e"}[r.IntN(7)])
					}
					object := entering(name, []string{"x", "y", "z"}[r.IntN(3)], r.IntN(4), points...)
					object.Labels["contest"] = []string{"", "", "other"}[r.IntN(3)]
					objects[name], change.Object = object, object
				}
				changes = append(changes, change)
			}
			g.Update(changes...)
			for name, by := range outcome(objects) {
				verdicts := g.Verdicts(Key{Kind: ConfigMap, Namespace: "default", Name: name})
				if len(verdicts) != 1 || verdicts[0].OK != (by == "") || verdicts[0].Message != by {
					t.Fatalf("seed %d step %d: %s is displaced by %q, but its verdicts are %+v", seed, step, name, by, verdicts)
				}
			}
		}
		for name := range objects {
			g.Update(Change{Key: Key{Kind: ConfigMap, Namespace: "default", Name: name}})
		}
		if len(g.contests.points) > 0 || len(g.contests.sides) > 0 || len(g.contests.queue) > 0 || len(g.contests.recheck) > 0 {
			t.Fatalf("seed %d: contests without entries still hold %+v", seed, g.contests)
		}
	}
}

// TestYoungerEntriesCostNothing holds that an entry affects only the translations of the entries
// that it displaces.
func TestYoungerEntriesCostNothing(t *testing.T) {
	translated := map[string]int{}
	g := meeting(func(name string) { translated[name]++ })
	update := func(object *corev1.ConfigMap, gone bool) {
		change := Change{Key: Key{Kind: ConfigMap, Namespace: "default", Name: object.Name}, Object: object}
		if gone {
			change.Object = nil
		}
		clear(translated)
		g.Update(change)
	}
	for i := range 500 {
		update(entering(fmt.Sprint("o", i), "x", 10, fmt.Sprint("a.", i)), false)
	}
	for _, point := range []string{"", "a", "a.7"} {
		young := entering("young", "y", 20, point)
		if update(young, false); len(translated) != 1 || translated["young"] > 2 {
			t.Errorf("a younger entry at %q: %v", point, translated)
		}
		if update(young, true); len(translated) != 0 {
			t.Errorf("without it: %v", translated)
		}
	}
	old := entering("old", "y", 1, "a.7")
	if update(old, false); len(translated) != 2 || translated["o7"] != 1 {
		t.Errorf("an older entry: %v", translated)
	}
	if update(old, true); len(translated) != 1 || translated["o7"] != 1 {
		t.Errorf("without it: %v", translated)
	}
}

// TestManyEntriesOfOneObject holds that an object enters very many contests fast, and each only
// once.
func TestManyEntriesOfOneObject(t *testing.T) {
	const many = 20_000
	g := NewGraph(limit.Limits{})
	Each(g, claimRole, ConfigMap, Valueless(func(r *Reader, _ Key, _ *corev1.ConfigMap) Fragment {
		for i := range 2 * many {
			own := []string{fmt.Sprint("p", i%many)}
			if stays, _ := r.Enter(Entry{Contest: Contest{Name: "c"}, Side: "s", Own: own}); !stays {
				panic("an entry without rivals does not stay")
			}
		}
		return Fragment{}
	}))
	object := entering("o", "x", 1)
	change := Change{Key: Key{Kind: ConfigMap, Namespace: "default", Name: "o"}, Object: object}
	for range 2 {
		g.Update(change)
		if got := len(g.contests.points); got != many {
			t.Fatalf("%d points are contested", got)
		}
	}
	for _, n := range g.nodes {
		if got := len(n.entrants); got != many {
			t.Errorf("%d entries", got)
		}
	}
}
