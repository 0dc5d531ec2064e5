package unit

import "slices"

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
