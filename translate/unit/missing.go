package unit

import "slices"

// Awaits returns one of the keys that what is said of an object depends on, directly or
// through the units that its own uses; false if it depends on none of them.
func (g *Graph) Awaits(object Key, keys map[Key]struct{}) (Key, bool) {
	if len(keys) == 0 {
		return Key{}, false
	}
	seen := map[*node]struct{}{}
	if n := g.source(object); n != nil {
		if key, ok := n.awaits(keys, seen); ok {
			return key, true
		}
	}
	for n := range g.spoken[object] {
		if key, ok := n.awaits(keys, seen); ok {
			return key, true
		}
	}
	return Key{}, false
}

func (n *node) awaits(keys map[Key]struct{}, seen map[*node]struct{}) (Key, bool) {
	if _, ok := seen[n]; ok {
		return Key{}, false
	}
	seen[n] = struct{}{}
	for _, key := range n.reads {
		if _, ok := keys[key]; ok {
			return key, true
		}
	}
	for _, used := range n.uses {
		if key, ok := used.node.awaits(keys, seen); ok {
			return key, true
		}
	}
	return Key{}, false
}

// Missing are the objects that were asked for in vain in the translation of an object:
// by its own unit, by those that have something to say about it, and by the shared ones
// that they use.
func (g *Graph) Missing(key Key) []Key {
	found := finding{graph: g, seen: map[*node]bool{}}
	found.look(g.source(key))
	for n := range g.spoken[key] {
		found.look(n)
	}
	slices.SortFunc(found.missing, Key.Compare)
	return slices.Compact(found.missing)
}

// finding is the state of looking through units.
type finding struct {
	graph   *Graph
	seen    map[*node]bool
	missing []Key
}

func (f *finding) look(n *node) {
	if n == nil || f.seen[n] {
		return
	}
	f.seen[n] = true
	for _, key := range n.reads {
		if f.graph.objects[key] == nil {
			f.missing = append(f.missing, key)
		}
	}
	for _, used := range n.uses {
		f.look(used.node)
	}
}
