package unit

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
