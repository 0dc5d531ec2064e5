package unit

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/limit"
)

// TestUsersAreTranslatedOnce holds that an Update translates each unit once, even a unit that
// reads a changed object and uses others that read it.
func TestUsersAreTranslatedOnce(t *testing.T) {
	const (
		top   Role[None]             = "top"
		chain RoleBy[number, string] = "chain"
		links                        = 5
	)
	g := NewGraph(limit.Limits{})
	translated := map[string]int{}
	source := Secret.Key("default", "source")
	read := func(r *Reader) string {
		secret, ok := Get[*corev1.Secret](r, source)
		if !ok {
			return ""
		}
		return secret.Labels["value"]
	}
	Each(g, top, ConfigMap, Valueless(func(r *Reader, key Key, _ *corev1.ConfigMap) Fragment {
		translated[key.Name]++
		message := read(r)
		for i := range links {
			message += " " + Use(r, chain.Of("default", "c", number(i)))
		}
		return Fragment{Verdicts: []Verdict{Warning(key, "Read", message)}}
	}))
	SharedBy(g, chain, Service, func(r *Reader, _ Key, n number) (Fragment, string) {
		translated[fmt.Sprint("link ", n)]++
		if n == 0 {
			return Fragment{}, read(r)
		}
		return Fragment{}, Use(r, chain.Of("default", "c", n-1)) + read(r)
	})
	users := make([]Change, 20)
	for i := range users {
		name := fmt.Sprint("user ", i)
		users[i] = Change{Key: ConfigMap.Key("default", name), Object: &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}}
	}
	g.Update(users...)
	for _, value := range []string{"a", "b", "c"} {
		clear(translated)
		g.Update(Change{Key: source, Object: &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "source", Labels: map[string]string{"value": value}}}})
		if len(translated) != links+len(users) {
			t.Errorf("%d units were translated", len(translated))
		}
		for name, n := range translated {
			if n != 1 {
				t.Errorf("%s was translated %d times", name, n)
			}
		}
	}
}

// TestUnitsThatUseEachOther holds that the translation ends when the direction of a use between
// two units reverses.
func TestUnitsThatUseEachOther(t *testing.T) {
	const node RoleBy[number, string] = "node"
	const top Role[None] = "top"
	g := NewGraph(limit.Limits{})
	Each(g, top, ConfigMap, Valueless(func(r *Reader, key Key, object *corev1.ConfigMap) Fragment {
		from := number(len(object.Labels["first"]))
		return Fragment{Verdicts: []Verdict{Warning(key, "Read", Use(r, node.Of("default", object.Name, from)))}}
	}))
	SharedBy(g, node, ConfigMap, func(r *Reader, key Key, n number) (Fragment, string) {
		object, ok := Get[*corev1.ConfigMap](r, key)
		if !ok || n != number(len(object.Labels["first"])) {
			return Fragment{}, fmt.Sprint("end ", n)
		}
		return Fragment{}, fmt.Sprint(n, " and ", Use(r, node.Of("default", object.Name, 1-n)))
	})
	key := ConfigMap.Key("default", "c")
	for i := range 2 * deepest {
		first := []string{"", "x"}[i%2]
		g.Update(Change{Key: key, Object: &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "c", Labels: map[string]string{"first": first}}}})
		want := fmt.Sprint(len(first), " and end ", 1-len(first))
		if got := g.Verdicts(key); len(got) != 1 || got[0].Message != want {
			t.Fatalf("round %d: %+v, want %q", i, got, want)
		}
	}
}
