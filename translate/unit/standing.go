package unit

import (
	"iter"
	"slices"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
)

// Standing is a claim and its result.
type Standing struct {
	Object Key
	// Field is the part of the object that makes the claim; empty if the claim does not say.
	Field field.Path
	// Entities are those of the claim. If the claim has no effect, they are those that it would
	// have alone.
	Entities []*kong.Entity
	// Effective is whether the entities are in the configuration, unless a limit of the namespace
	// excludes them.
	Effective bool
	// Holder is the object whose claim takes precedence; empty if the claim is effective, or if
	// what it depends on is held by another object.
	Holder Key
}

// Standings yields all claims to slots of a family, in no particular order.
func (g *Graph) Standings(family string) iter.Seq[Standing] {
	return func(yield func(Standing) bool) {
		for _, n := range g.nodes {
			for _, c := range n.claims {
				if c.claim.Slot.Family == family && !yield(g.standing(c)) {
					return
				}
			}
		}
	}
}

func (g *Graph) standing(c *contender) Standing {
	s := Standing{Object: c.claim.Object, Field: c.claim.Lost.Field, Entities: c.claim.Entities}
	if c.claim.Ranked != nil {
		if entities := c.placed(); entities != nil {
			s.Entities, s.Effective = entities, true
		} else if c.by != nil {
			s.Holder = c.by.claim.Object
		}
		return s
	}
	switch holder := g.holder(g.slots[c.claim.Slot]); {
	case holder == c:
		s.Effective = g.holdsAll(c.node, c.claim.While)
	case holder != nil:
		s.Holder = holder.claim.Object
	}
	return s
}

// Value returns the value of a unit; the zero value if there is no such unit. It must not be
// modified.
func Value[T any](g *Graph, ref Ref[T]) (value T) {
	if n := g.nodes[ref.ID]; n != nil {
		value, _ = n.fragment.value.(T)
	}
	return value
}

// Objects yields the objects of a kind, in order.
func (g *Graph) Objects(kind Kind) iter.Seq2[Key, Object] {
	var keys []Key
	for key := range g.objects {
		if key.Kind == kind {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, Key.Compare)
	return func(yield func(Key, Object) bool) {
		for _, key := range keys {
			if !yield(key, g.objects[key]) {
				return
			}
		}
	}
}

// Sources returns the objects that exist and that the translation of an object reads, in order.
func (g *Graph) Sources(object Key) (sources []Key) {
	for key := range g.readsOf(object) {
		if g.objects[key] != nil && key != object {
			sources = append(sources, key)
		}
	}
	slices.SortFunc(sources, Key.Compare)
	return slices.Compact(sources)
}
