package unit

import "slices"

// multimap holds the members of each key. A key without members is not in it.
type multimap[K, V comparable] map[K]map[V]struct{}

// add reports whether the key had no members before.
func (m multimap[K, V]) add(key K, member V) (first bool) {
	if m[key] == nil {
		m[key], first = map[V]struct{}{}, true
	}
	m[key][member] = struct{}{}
	return first
}

// remove reports whether the key has no members any more.
func (m multimap[K, V]) remove(key K, member V) (last bool) {
	if delete(m[key], member); len(m[key]) > 0 {
		return false
	}
	delete(m, key)
	return true
}

// few is the number of elements up to which comparing them is faster than hashing.
const few = 16

// ordered is a set that keeps the order in which its elements were added.
type ordered[T comparable] struct {
	list []T
	has  map[T]struct{} // nil up to few elements
}

func (o *ordered[T]) add(element T) {
	if o.has == nil && slices.Contains(o.list, element) {
		return
	}
	if o.has == nil && len(o.list) >= few {
		o.has = make(map[T]struct{}, 2*len(o.list))
		for _, known := range o.list {
			o.has[known] = struct{}{}
		}
	}
	if o.has != nil {
		if _, known := o.has[element]; known {
			return
		}
		o.has[element] = struct{}{}
	}
	o.list = append(o.list, element)
}
