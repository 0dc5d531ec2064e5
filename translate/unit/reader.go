package unit

import "github.com/kube-sync/kube-sync/translate/limit"

// Get returns the object of the key, or nil. [Get] is its typed form.
func (r *Reader) Get(key Key) Object {
	r.reads.add(key)
	return r.graph.objects[key]
}

// use returns the node of a unit, which exists as long as this one uses it. The nil part is its
// value.
func (r *Reader) use(id ID, part any) *node {
	n := r.graph.nodes[id]
	if n == nil {
		n = r.graph.add(id)
	}
	r.uses.add(use{n, part})
	if n.busy {
		panic(id.String() + " uses itself")
	}
	if n.dirty {
		r.graph.translate(n)
	}
	return n
}

// Limits returns the bounds in effect.
func (r *Reader) Limits() limit.Limits { return r.graph.limits }

// Attach attaches the unit's object to a section of another object, whose status counts it.
func (r *Reader) Attach(s Section) { r.attached.add(s) }

// Use returns the value of a unit. A shared unit exists as long as some unit uses it. Users must
// not modify the value.
func Use[T any](r *Reader, of Ref[T]) T {
	value, _ := r.use(of.ID, nil).fragment.value.(T)
	return value
}

// UsePart is Use for one part of a unit's value; false if there is no such part. The user is
// translated again only if that part changes.
func UsePart[T, U any](r *Reader, of Ref[U], part Part[T]) (T, bool) {
	value, ok := r.use(of.ID, part).fragment.parts[part].(T)
	return value, ok
}

// Get returns the object of the key; false if there is none of the type.
func Get[T Object](r *Reader, key Key) (T, bool) {
	object, ok := r.Get(key).(T)
	return object, ok
}
