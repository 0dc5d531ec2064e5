package unit

import (
	"iter"
	"slices"
)

// Missing returns the keys of the objects that the translation of an object asked for and that do
// not exist: it covers the object's own unit, the units with verdicts on it, and the units that
// these use.
func (g *Graph) Missing(object Key) (missing []Key) {
	for key := range g.readsOf(object) {
		if g.objects[key] == nil {
			missing = append(missing, key)
		}
	}
	slices.SortFunc(missing, Key.Compare)
	return slices.Compact(missing)
}

// Awaits returns one of the keys on which the verdicts on an object depend, directly or through
// other units; false if they depend on none of the keys.
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

// readsOf yields the keys that the translation of an object reads. It may repeat some.
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
		for n := range g.onOthers[object] {
			if !visit(n) {
				return
			}
		}
	}
}
