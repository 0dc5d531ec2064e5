package unit

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/routing"
)

const (
	claimRole Role[None]     = "claiming"
	names     Family[string] = "name"
)

// claiming returns a graph in which each ConfigMap claims the slots that its data names, with the
// age of the object, ranked if it has the label.
func claiming(ranked func(object string, place routing.Place)) *Graph {
	g := NewGraph(limit.Limits{})
	Each(g, claimRole, ConfigMap, Valueless(func(_ *Reader, key Key, object *corev1.ConfigMap) Fragment {
		var f Fragment
		slots := make([]string, 0, len(object.Data))
		for slot := range object.Data {
			slots = append(slots, slot)
		}
		slices.Sort(slots)
		for _, slot := range slots {
			claim := Claim{Slot: names.Slot(slot), Object: key, Since: object.CreationTimestamp.Time, Lost: Warning(key, "Lost", slot)}
			entity := &kong.Entity{Ref: kong.Ref{Type: kong.Routes, ID: object.Name + "/" + slot}}
			if claim.Entities = []*kong.Entity{entity}; object.Labels["ranked"] != "" {
				claim.Extent = extentOf(object.Labels["ranked"])
				claim.Ranked = func(place routing.Place) []*kong.Entity {
					ranked(object.Name, place)
					e := *entity
					e.ID = fmt.Sprint(object.Name, "/", slot, "/", claim.Extent.First()-place)
					return []*kong.Entity{&e}
				}
			}
			f.Claims = append(f.Claims, claim)
		}
		return f
	}))
	return g
}

// extentOf returns the extent of the requests with a header of the name.
func extentOf(header string) *routing.Extent {
	ranking, err := kong.Ranked(route.Route{Name: "r", Protocols: []string{"http", "https"}, Match: route.Match{
		Headers: []route.Values{{Name: header, Values: []string{"1"}}}}}, limit.Limits{}.InEffect())
	if err != nil {
		panic(err)
	}
	return ranking.Extent
}

func claimant(name string, age, slots int, ranked string) Change {
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name,
		CreationTimestamp: metav1.NewTime(time.Unix(int64(age), 0)), Labels: map[string]string{"ranked": ranked}}}
	object.Data = map[string]string{}
	for i := range slots {
		object.Data[fmt.Sprintf("slot %04d", i)] = ""
	}
	return Change{Key: Key{Kind: ConfigMap, Namespace: "default", Name: name}, Object: object}
}

func entitiesOf(g *Graph, name string) (ids []string) {
	view, _ := g.View(claimRole.Of("default", name).ID)
	for _, e := range view.Entities {
		ids = append(ids, e.ID)
	}
	return ids
}

// TestContestedClaimsAreVisitedOnce holds that an Update visits the claims of each contender
// once, whatever the number of contested claims.
func TestContestedClaimsAreVisitedOnce(t *testing.T) {
	const units, slots = 80, 400
	g := claiming(nil)
	var changes []Change
	for i := range units {
		changes = append(changes, claimant(fmt.Sprintf("c%02d", i), units-i, slots, ""))
	}
	g.Update(changes...)
	if most := units * slots; g.visited > most {
		t.Errorf("%d units with %d equal claims each: %d claims visited, want at most %d", units, slots, g.visited, most)
	}
	if got := entitiesOf(g, "c79"); len(got) != slots {
		t.Errorf("the oldest holds %d of %d slots", len(got), slots)
	}

	// A younger claimant costs the others nothing.
	g.visited = 0
	g.Update(claimant("late", units+1, slots, ""))
	if g.visited != slots {
		t.Errorf("a new loser: %d claims visited, want its own %d", g.visited, slots)
	}
	// A holder that claims the same again costs the others nothing either.
	g.visited = 0
	g.Update(claimant("c79", 1, slots, ""))
	if g.visited != slots {
		t.Errorf("an unchanged holder: %d claims visited, want its own %d", g.visited, slots)
	}
	// When the holder is deleted, each of the others is visited once.
	g.visited = 0
	g.Update(Change{Key: Key{Kind: ConfigMap, Namespace: "default", Name: "c79"}})
	if most := units * slots; g.visited > most {
		t.Errorf("a deleted holder: %d claims visited, want at most %d", g.visited, most)
	}
	if got := entitiesOf(g, "c78"); len(got) != slots {
		t.Errorf("the next one holds %d of %d slots", len(got), slots)
	}
}

// TestRankedClaimsKeepTheirEntities holds that a claim's entities are only made again for another
// place.
func TestRankedClaimsKeepTheirEntities(t *testing.T) {
	made := map[string]int{}
	g := claiming(func(object string, _ routing.Place) { made[object]++ })
	for i := range 10 {
		g.Update(claimant(fmt.Sprint("c", i), i, 3, fmt.Sprint("x-", i)))
	}
	for i := range 10 {
		if name := fmt.Sprint("c", i); made[name] != min(i, 1)*3 {
			t.Errorf("%s is younger than all others, and its 3 claims made entities %d times", name, made[name])
		}
	}
	clear(made)
	g.Update(claimant("first", -1, 1, "x-first"))
	if got := entitiesOf(g, "c9"); !slices.Equal(got, []string{"c9/slot 0000/10", "c9/slot 0001/9", "c9/slot 0002/9"}) {
		t.Errorf("behind an older claim to one slot: %v", got)
	}
	if made["c9"] != 1 || made["first"] != 0 {
		t.Errorf("one more claim to one slot made entities %v times", made)
	}
	// A claim that older ones cover completely costs the others nothing, and gets a verdict.
	clear(made)
	g.Update(claimant("late", 3, 3, "x-2"))
	if got := entitiesOf(g, "late"); len(got) != 0 || len(made) != 0 {
		t.Errorf("a covered claim has %v, and made entities %v times", got, made)
	}
	late := Key{Kind: ConfigMap, Namespace: "default", Name: "late"}
	if verdicts := g.Verdicts(late); len(verdicts) != 3 || verdicts[0].Holder.Name != "c2" {
		t.Errorf("verdicts %v", verdicts)
	}
	g.Update(Change{Key: Key{Kind: ConfigMap, Namespace: "default", Name: "c2"}})
	if got := entitiesOf(g, "late"); len(got) != 3 || len(g.Verdicts(late)) != 0 {
		t.Errorf("when the claim that covered it is gone, it has %v and verdicts %v", got, g.Verdicts(late))
	}
}

// TestEqualClaimsHaveAStableOrder holds that the order of equally old claims does not depend on
// the history.
func TestEqualClaimsHaveAStableOrder(t *testing.T) {
	for _, order := range [][]string{{"a", "b", "c"}, {"c", "b", "a"}, {"b", "c", "a"}} {
		g := claiming(nil)
		for _, name := range order {
			g.Update(claimant(name, 1, 2, ""))
		}
		if got := entitiesOf(g, "a"); len(got) != 2 {
			t.Errorf("%v: of equally old claimants the first by name has %d of 2 slots", order, len(got))
		}
	}
}

func TestOrdered(t *testing.T) {
	var o ordered[int]
	for i := range 100 {
		o.add(i % 40)
		o.add(i % 7)
	}
	want := make([]int, 40)
	for i := range want {
		want[i] = i
	}
	if !slices.Equal(o.list, want) {
		t.Errorf("ordered: %v", o.list)
	}
}

// TestReaderWithManyQuestions holds that a unit with very many reads records each key once.
func TestReaderWithManyQuestions(t *testing.T) {
	g := NewGraph(limit.Limits{})
	Each(g, claimRole, ConfigMap, Valueless(func(r *Reader, key Key, _ *corev1.ConfigMap) Fragment {
		for range 2 {
			for i := range 20_000 {
				r.Get(Secret.Key(key.Namespace, fmt.Sprint(i)))
			}
		}
		return Fragment{}
	}))
	reads := func(change Change) bool {
		_, reads := g.Update(change).Reads[Secret]
		return reads
	}
	if told, got := reads(claimant("c", 1, 0, "")), len(g.Reads(Secret)); got != 20_000 || !told {
		t.Errorf("%d keys are read, and the result reports new keys: %v", got, told)
	}
	if reads(claimant("c", 2, 0, "")) || reads(claimant("d", 1, 0, "")) {
		t.Error("the result reports changed keys, although they are the same")
	}
	gone := claimant("c", 1, 0, "")
	if gone.Object = nil; reads(gone) {
		t.Error("a key that another unit still reads is reported as gone")
	}
	gone.Key.Name = "d"
	if told := reads(gone); !told || len(g.Reads(Secret)) > 0 {
		t.Error("a key that no unit reads any more is not reported as gone")
	}
}

// TestYoungerRankedClaimsArePlacedAgain holds that a changed claim costs the older claims to the
// slot nothing.
func TestYoungerRankedClaimsArePlacedAgain(t *testing.T) {
	g := claiming(func(string, routing.Place) {})
	for i := range 200 {
		g.Update(claimant(fmt.Sprintf("c%03d", i), i, 1, "x"))
	}
	if g.placed != 200 {
		t.Errorf("200 claims, each younger than those before, are placed %d times", g.placed)
	}
	g.placed = 0
	g.Update(Change{Key: Key{Kind: ConfigMap, Namespace: "default", Name: "c190"}})
	if g.placed != 9 {
		t.Errorf("without the 10th from the end, %d claims are placed again", g.placed)
	}
	g.placed = 0
	g.Update(claimant("c050", 50, 1, "y"))
	if g.placed != 149 {
		t.Errorf("with a change of one, %d claims are placed again", g.placed)
	}
}

// TestClaimsWithoutPlacesGetAVerdict holds that a claim that shares its place with others gets a
// verdict, and comes after a younger one of another namespace.
func TestClaimsWithoutPlacesGetAVerdict(t *testing.T) {
	g := claiming(func(string, routing.Place) {})
	var changes []Change
	for i := range 600 {
		changes = append(changes, claimant(fmt.Sprintf("c%03d", i), i, 1, fmt.Sprint("x-", i)))
	}
	other := claimant("other", 1000, 1, "x-other")
	other.Key.Namespace = "other"
	other.Object.SetNamespace("other")
	g.Update(append(changes, other)...)
	told := func(c Change) int {
		verdicts := g.Verdicts(c.Key)
		for _, v := range verdicts {
			if v.Reason != "TooManyMatches" {
				t.Errorf("%s: %+v", c.Key, v)
			}
		}
		return len(verdicts)
	}
	for i, want := range map[int]int{0: 0, 500: 0, 599: 1} {
		if got := told(changes[i]); got != want {
			t.Errorf("%s: %d verdicts", changes[i].Key, got)
		}
	}
	if got := told(other); got != 0 {
		t.Errorf("%s: %d verdicts", other.Key, got)
	}
}
