package unit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
)

// sized returns a graph in which each ConfigMap makes a route of 10 bytes, and a plugin with the
// size of its data that a refusal of 5 bytes can replace.
func sized(most limit.Cost, translated func(name string)) *Graph {
	g := NewGraph(limit.Limits{Namespace: most})
	Each(g, claimRole, ConfigMap, Valueless(func(_ *Reader, key Key, object *corev1.ConfigMap) Fragment {
		translated(key.Name)
		route := &kong.Entity{Ref: kong.Ref{Type: kong.Routes, ID: key.Name}, JSON: make([]byte, 10)}
		f := Fragment{Entities: []*kong.Entity{route}}
		if n := len(object.Data["plugin"]); n > 0 {
			plugin := &kong.Entity{Ref: kong.Ref{Type: kong.Plugins, ID: key.Name}, JSON: make([]byte, n)}
			plugin.Instead = []*kong.Entity{{Ref: kong.Ref{Type: kong.Plugins, ID: "refusal " + key.Name}, JSON: make([]byte, 5)}}
			f.Claims = []Claim{{Slot: names.Slot("plugin " + key.Name), Object: key, Entities: []*kong.Entity{plugin}}}
		}
		return f
	}))
	return g
}

func sizedObject(namespace, name string, age, plugin int) Change {
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name,
		CreationTimestamp: metav1.NewTime(time.Unix(int64(age), 0))}, Data: map[string]string{"plugin": strings.Repeat("x", plugin)}}
	return Change{Key: Key{Kind: ConfigMap, Namespace: namespace, Name: name}, Object: object}
}

// has returns the entities of each object: its route, its plugin, or a refusal.
func has(g *Graph) string {
	var all []string
	for view := range g.Units() {
		for _, e := range view.Entities {
			all = append(all, string(e.Type)+" "+e.ID)
		}
	}
	return strings.Join(all, ", ")
}

func TestNamespaceLimit(t *testing.T) {
	g := sized(limit.Cost{Bytes: 100}, func(string) {})
	key := func(name string) Key { return Key{ConfigMap, "ns", name} }
	g.Update(sizedObject("ns", "b", 2, 40), sizedObject("ns", "a", 1, 30))
	if got, want := has(g), "routes a, plugins a, routes b, plugins b"; got != want {
		t.Errorf("within the limit: %s; want %s", got, want)
	}
	// c exceeds the limit, even without its plugin.
	result := g.Update(sizedObject("ns", "c", 3, 1))
	if got, want := has(g), "routes a, plugins a, routes b, plugins b"; got != want {
		t.Errorf("the newest: %s; want %s", got, want)
	}
	verdicts := g.Verdicts(key("c"))
	if len(verdicts) != 1 || verdicts[0].Reason != "NamespaceTooLarge" || !strings.Contains(verdicts[0].Message,
		"the objects of namespace ns need more than the 100 bytes of configuration that the setting LIMIT_NAMESPACE_BYTES allows") {
		t.Errorf("verdicts on the object that is left out: %v", verdicts)
	}
	if _, told := result.Objects[key("c")]; !told || len(result.Units) > 0 {
		t.Errorf("an object that is left out changed %v", result)
	}
	// Another namespace has its own room.
	g.Update(sizedObject("other", "d", 9, 80))
	if got := has(g); !strings.HasSuffix(got, "routes d, plugins d") {
		t.Errorf("another namespace: %s", got)
	}
	g.Update(Change{Key: Key{ConfigMap, "other", "d"}})
	// The oldest object grows: the later ones lose their plugins first, and then everything.
	g.Update(sizedObject("ns", "a", 1, 60))
	if got, want := has(g), "routes a, plugins a, routes b, plugins refusal b, routes c, plugins c"; got != want {
		t.Errorf("when the oldest grows: %s; want %s", got, want)
	}
	g.Update(sizedObject("ns", "a", 1, 90))
	if got, want := has(g), "routes a, plugins a"; got != want {
		t.Errorf("when the oldest takes all: %s; want %s", got, want)
	}
	// An object larger than the limit does not affect the others.
	g.Update(sizedObject("ns", "a", 1, 500))
	if got, want := has(g), "routes a, plugins refusal a, routes b, plugins b, routes c, plugins c"; got != want {
		t.Errorf("when the oldest is too large: %s; want %s", got, want)
	}
	g.Update(Change{Key: key("a")})
	if got, want := has(g), "routes b, plugins b, routes c, plugins c"; got != want {
		t.Errorf("when the oldest is gone: %s; want %s", got, want)
	}
	if got := g.Verdicts(key("b")); len(got) > 0 {
		t.Errorf("verdicts on an object that has room again: %v", got)
	}
}

// TestNamespaceWithinLimitCostsNothing holds that a change within the limit translates one unit
// and ranks none.
func TestNamespaceWithinLimitCostsNothing(t *testing.T) {
	translated := 0
	g := sized(limit.Cost{Bytes: 1 << 20}, func(string) { translated++ })
	for i := range 1000 {
		g.Update(sizedObject("ns", fmt.Sprint(i), i, 100))
	}
	translated = 0
	g.Update(sizedObject("ns", "7", 7, 101))
	if translated != 1 || g.namespaces["ns"].ranked {
		t.Errorf("a change translated %d units", translated)
	}
}

// TestNamespaceBeyondLimitKeepsNothing holds that entities in memory stay within the limit,
// whatever the objects ask for.
func TestNamespaceBeyondLimitKeepsNothing(t *testing.T) {
	const most = 100_000
	translated := map[string]int{}
	g := sized(limit.Cost{Bytes: most}, func(name string) { translated[name]++ })
	var changes []Change
	for i := range 2000 {
		changes = append(changes, sizedObject("ns", fmt.Sprint(i), 5000-i, 990))
	}
	g.Update(changes...)
	bytes := 0
	for _, n := range g.nodes {
		for _, c := range n.fragment.Claims {
			bytes += kong.Cost(c.Entities).Bytes
		}
		bytes += kong.Cost(n.fragment.Entities).Bytes
	}
	if bytes > most {
		t.Errorf("%d bytes are kept for a namespace with a limit of %d", bytes, most)
	}
	for name, n := range translated {
		if n > 2 {
			t.Errorf("%s was translated %d times", name, n)
		}
	}
	view, _ := g.View(claimRole.Of("ns", "1999").ID)
	if len(view.Entities) != 2 {
		t.Errorf("the oldest has %d entities", len(view.Entities))
	}
	if _, ok := g.View(claimRole.Of("ns", "0").ID); ok {
		t.Error("the newest has entities")
	}
}

func TestFewerVerdicts(t *testing.T) {
	var verdicts []Verdict
	about := Key{ConfigMap, "ns", "a"}
	for i := range 500 {
		verdicts = append(verdicts, Warning(about, "Bad", fmt.Sprint(i)))
	}
	verdicts = append(verdicts, Verdict{Object: about, Condition: "Programmed", OK: true, Message: strings.Repeat("long", 5000)})
	few := fewer(verdicts)
	if len(few) != limit.Verdicts+1 || !strings.HasSuffix(few[limit.Verdicts-1].Message, "; 400 more problems are not listed") {
		t.Errorf("%d verdicts, the last warning is %q", len(few), few[len(few)-2].Message)
	}
	if last := few[len(few)-1]; !last.OK || len(last.Message) > limit.Message+len("…") {
		t.Errorf("the condition is %v", last)
	}
	short := []Verdict{Warning(about, "Bad", "x")}
	if !slices.Equal(fewer(short), short) {
		t.Error("a few verdicts are changed")
	}
}
