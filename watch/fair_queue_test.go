package watch

import (
	"slices"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/translate/unit"
)

func TestNamespacesTakeTurns(t *testing.T) {
	q := newTurns()
	var pushed int
	push := func(names ...string) {
		for _, name := range names {
			namespace, name, _ := strings.Cut(name, "/")
			q.Push(unit.Key{Namespace: namespace, Name: name})
			pushed++
		}
	}
	push("a/1", "a/2", "a/3", "/1", "b/1", "a/4", "b/2")
	var popped []string
	pop := func(n int) {
		for range n {
			key := q.Pop()
			popped = append(popped, key.Namespace+"/"+key.Name)
		}
	}
	pop(4)
	push("c/1", "b/3")
	pop(pushed - len(popped))
	want := []string{"a/1", "/1", "b/1", "a/2", "b/2", "a/3", "c/1", "b/3", "a/4"}
	if !slices.Equal(popped, want) || q.Len() != 0 || len(q.keys) != 0 || len(q.order) != 0 {
		t.Errorf("popped %v, %d left; want %v", popped, q.Len(), want)
	}
}
