package unit

import "github.com/kube-sync/kube-sync/translate/limit"

// Get returns the object of the key, or nil. The typed form is [Get].
func (r *Reader) Get(key Key) Object {
	r.reads.add(key)
	return r.graph.objects[key]
}

// use makes a shared unit exist as long as this one uses it. Its value is the nil part.
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

// Limits are the bounds in effect.
func (r *Reader) Limits() limit.Limits { return r.graph.limits }

// Attach attaches the unit's object to a section of another object, whose status counts it.
func (r *Reader) Attach(s Section) { r.attached.add(s) }

// Use makes a shared unit exist as long as the unit of the reader uses it, and returns its value.
// Users do not modify it.
func Use[T any](r *Reader, of Ref[T]) T {
	value, _ := r.use(of.ID, nil).fragment.value.(T)
	return value
}

// UsePart is Use for one part of a unit's value; false if there is no such part. The unit that asks
// is translated again only if that part changes.
func UsePart[T, U any](r *Reader, of Ref[U], part Part[T]) (T, bool) {
	value, ok := r.use(of.ID, part).fragment.parts[part].(T)
	return value, ok
}

// Get returns the object of the key if there is one.
func Get[T Object](r *Reader, key Key) (T, bool) {
	object, ok := r.Get(key).(T)
	return object, ok
}
