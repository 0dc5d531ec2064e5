package unit

import (
	"iter"
	"slices"
)

// Missing are the objects that were asked for in vain in the translation of an object:
// by its own unit, by those that have something to say about it, and by the shared ones
// that they use.
func (g *Graph) Missing(object Key) (missing []Key) {
	for key := range g.readsOf(object) {
		if g.objects[key] == nil {
			missing = append(missing, key)
		}
	}
	slices.SortFunc(missing, Key.Compare)
	return slices.Compact(missing)
}

// Awaits returns one of the keys that what is said of an object depends on, directly or
// through the units that its own uses; false if it depends on none of them.
func (g *Graph) Awaits(object Key, keys map[Key]struct{}) (Key, bool) {
	if len(keys) == 0 {
		return Key{}, false
	}
	for key := range g.readsOf(object) {
		if _, ok := keys[key]; ok {
			return key, true
		}
	}
	return Key{}, false
}

// readsOf yields the keys of what is read in the translation of an object, some repeatedly.
func (g *Graph) readsOf(object Key) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		seen := map[*node]struct{}{}
		var visit func(*node) bool
		visit = func(n *node) bool {
			if _, known := seen[n]; known || n == nil {
				return true
			}
			seen[n] = struct{}{}
			for _, key := range n.reads {
				if !yield(key) {
					return false
				}
			}
			return !slices.ContainsFunc(n.uses, func(used use) bool { return !visit(used.node) })
		}
		if !visit(g.source(object)) {
			return
		}
		for n := range g.spoken[object] {
			if !visit(n) {
				return
			}
		}
	}
}
