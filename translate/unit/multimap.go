package unit

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
