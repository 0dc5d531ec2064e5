package unit

import (
	"maps"
	"slices"
)

// Index finds objects by a key, such as EndpointSlices by their Service. It may hold objects of
// several kinds.
type Index[K comparable] string

func (i Index[K]) at(key K) lookup { return lookup{string(i), key} }

// DefineIndex adds the objects of a kind to an index. The function returns the keys that an
// object is found by. All roles and indexes must be defined before the first Update.
func DefineIndex[K comparable, O Object](g *Graph, index Index[K], kind Kind, keys func(O) []K) {
	g.indexes[kind] = append(g.indexes[kind], func(object Object) []lookup {
		typed, ok := object.(O)
		if !ok {
			return nil
		}
		found := keys(typed)
		all := make([]lookup, len(found))
		for n, key := range found {
			all[n] = index.at(key)
		}
		return all
	})
}

// Keys returns the object keys that an index holds for a key, in order.
func Keys[K comparable](r *Reader, index Index[K], key K) []Key {
	at := index.at(key)
	r.lookups.add(at)
	return slices.SortedFunc(maps.Keys(r.graph.listed[at]), Key.Compare)
}

// List returns the objects of a type that an index holds for a key, ordered by their keys.
func List[O Object, K comparable](r *Reader, index Index[K], key K) []O {
	keys := Keys(r, index, key)
	objects := make([]O, 0, len(keys))
	for _, member := range keys {
		if object, ok := r.graph.objects[member].(O); ok {
			objects = append(objects, object)
		}
	}
	return objects
}

// Find returns the objects of a type that an index holds for a key, ordered by their keys, outside of
// a translation.
func Find[O Object, K comparable](g *Graph, index Index[K], key K) (objects []O) {
	for _, member := range slices.SortedFunc(maps.Keys(g.listed[index.at(key)]), Key.Compare) {
		if object, ok := g.objects[member].(O); ok {
			objects = append(objects, object)
		}
	}
	return objects
}

// list updates one index for one object.
func (g *Graph) list(keys func(Object) []lookup, key Key, old, object Object) {
	from, to := keys(old), keys(object)
	for _, at := range from {
		if !slices.Contains(to, at) {
			g.listed.remove(at, key)
			g.markAll(g.lookers[at])
		}
	}
	for _, at := range to {
		g.listed.add(at, key)
		g.markAll(g.lookers[at])
	}
}

// setLookups replaces the index keys that a node looked up.
func (g *Graph) setLookups(n *node, lookups []lookup) {
	if slices.Equal(n.lookups, lookups) {
		return
	}
	for _, at := range n.lookups {
		g.lookers.remove(at, n)
	}
	for _, at := range lookups {
		g.lookers.add(at, n)
	}
	n.lookups = lookups
}
