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

// attaching returns a graph in which each ConfigMap asks for one section per byte of its data.
func attaching(most int, translated func(name string)) *Graph {
	g := NewGraph(limit.Limits{Attachments: most})
	Each(g, claimRole, ConfigMap, Valueless(func(r *Reader, key Key, object *corev1.ConfigMap) Fragment {
		translated(key.Name)
		return Fragment{Verdicts: []Verdict{{Object: key, OK: r.Attachable(len(object.Data["sections"]))}}}
	}))
	return g
}

func asking(name string, age, sections int) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name,
		CreationTimestamp: metav1.NewTime(time.Unix(int64(age), 0))}, Data: map[string]string{"sections": strings.Repeat("x", sections)}}
}

// attached returns which objects may be attached, found by going through all of them in order.
func attached(objects map[string]*corev1.ConfigMap, most int) map[string]bool {
	var all []*corev1.ConfigMap
	for _, object := range objects {
		all = append(all, object)
	}
	slices.SortFunc(all, func(a, b *corev1.ConfigMap) int {
		if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	room, found := most, map[string]bool{}
	for _, object := range all {
		n := len(object.Data["sections"])
		if found[object.Name] = n <= room; n <= room {
			room -= n
		}
	}
	return found
}

// TestAttachable holds that after any random history, the oldest present objects may be attached.
func TestAttachable(t *testing.T) {
	const most = 10
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 11))
		objects := map[string]*corev1.ConfigMap{}
		g := attaching(most, func(string) {})
		for step := range 40 {
			var changes []Change
			for range 1 + r.IntN(4) {
				name := fmt.Sprint("o", r.IntN(9))
				change := Change{Key: Key{Kind: ConfigMap, Namespace: "ns", Name: name}}
				if delete(objects, name); r.IntN(4) > 0 {
					object := asking(name, r.IntN(4), r.IntN(6))
					objects[name], change.Object = object, object
				}
				changes = append(changes, change)
			}
			g.Update(changes...)
			for name, want := range attached(objects, most) {
				verdicts := g.Verdicts(Key{Kind: ConfigMap, Namespace: "ns", Name: name})
				if len(verdicts) != 1 || verdicts[0].OK != want {
					t.Fatalf("seed %d step %d: %s has verdicts %+v, want attachable %t", seed, step, name, verdicts, want)
				}
			}
		}
		for name := range objects {
			g.Update(Change{Key: Key{Kind: ConfigMap, Namespace: "ns", Name: name}})
		}
		if len(g.quotas) > 0 || len(g.short) > 0 {
			t.Fatalf("seed %d: without objects the graph still holds %v, %v", seed, g.quotas, g.short)
		}
	}
}

// TestObjectsWithoutRoomCostOthersNothing holds that an object beyond the limit causes no other
// translation, and that a deleted one causes only translations of objects that newly fit.
func TestObjectsWithoutRoomCostOthersNothing(t *testing.T) {
	translated := map[string]int{}
	g := attaching(100, func(name string) { translated[name]++ })
	update := func(object *corev1.ConfigMap, gone bool) {
		change := Change{Key: Key{Kind: ConfigMap, Namespace: "ns", Name: object.Name}, Object: object}
		if gone {
			change.Object = nil
		}
		clear(translated)
		g.Update(change)
	}
	for i := range 100 {
		update(asking(fmt.Sprintf("o%02d", i), 10, 1), false)
	}
	for _, name := range []string{"young", "younger"} {
		if update(asking(name, 20, 1), false); len(translated) != 1 || translated[name] != 1 {
			t.Errorf("an object beyond the limit: %v", translated)
		}
	}
	if update(asking("o07", 10, 1), true); len(translated) != 1 || translated["young"] != 1 {
		t.Errorf("after a deletion: %v", translated)
	}
	if update(asking("old", 1, 1), false); len(translated) != 2 || translated["old"] > 2 || translated["young"] != 1 {
		t.Errorf("after the creation of an older object: %v", translated)
	}
}
