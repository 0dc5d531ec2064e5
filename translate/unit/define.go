package unit

// Defined is a defined role, for its options.
type Defined[T any] struct{ *definition }

// OnMissing sets the value of a unit that is used while its object does not exist. The default is
// the zero value.
func (d Defined[T]) OnMissing(value func(Key) T) Defined[T] {
	d.missing = func(key Key) any { return value(key) }
	return d
}

// OnPanic sets the value of a unit whose translation panicked. The default is the zero value.
func (d Defined[T]) OnPanic(value func(Key) T) Defined[T] {
	d.failed = func(_ ID, key Key) any { return value(key) }
	return d
}

// DefinedBy is a defined [RoleBy], for its options.
type DefinedBy[S Sub, T any] struct{ *definition }

// OnPanic sets the value of a unit whose translation panicked. The default is the zero value.
func (d DefinedBy[S, T]) OnPanic(value func(Key, S) T) {
	d.failed = func(id ID, key Key) any { return value(key, id.Sub.(S)) }
}

func define[T any](g *Graph, role RoleName, kind Kind, translate func(ID, Key, *Reader) (Fragment, T)) *definition {
	d := &definition{kind: kind, translate: func(id ID, key Key, r *Reader) Fragment {
		f, value := translate(id, key, r)
		f.value = value
		return f
	}}
	g.roles[role] = d
	return d
}

// Each defines a role with a unit for every object of a kind. Other units may use it even while
// the object does not exist.
func Each[O Object, T any](g *Graph, role Role[T], kind Kind, translate func(*Reader, Key, O) (Fragment, T)) Defined[T] {
	var d *definition
	d = define(g, RoleName(role), kind, func(_ ID, key Key, r *Reader) (f Fragment, value T) {
		if object, ok := Get[O](r, key); ok {
			return translate(r, key, object)
		}
		if d.missing != nil {
			value = d.missing(key).(T)
		}
		return f, value
	})
	d.eachObject, g.sources[kind] = true, RoleName(role)
	return Defined[T]{d}
}

// Shared defines a role whose units exist as long as another unit uses them. The object that they
// stand for need not exist.
func Shared[T any](g *Graph, role Role[T], kind Kind, translate func(*Reader, Key) (Fragment, T)) Defined[T] {
	return Defined[T]{define(g, RoleName(role), kind, func(_ ID, key Key, r *Reader) (Fragment, T) { return translate(r, key) })}
}

// SharedOwner is Shared for a unit that owns objects of the cluster. Its kind is not a kind of
// the cluster.
func SharedOwner[T any](g *Graph, role Role[T], kind Kind, translate func(*Reader, Key) (Fragment, T)) Defined[T] {
	g.sources[kind] = RoleName(role)
	return Shared(g, role, kind, translate)
}

// SharedBy is Shared for a [RoleBy].
func SharedBy[S Sub, T any](g *Graph, role RoleBy[S, T], kind Kind, translate func(*Reader, Key, S) (Fragment, T)) DefinedBy[S, T] {
	return DefinedBy[S, T]{define(g, RoleName(role), kind, func(id ID, key Key, r *Reader) (Fragment, T) { return translate(r, key, id.Sub.(S)) })}
}

// Valueless adapts a translation to a role without values.
func Valueless[O Object](translate func(*Reader, Key, O) Fragment) func(*Reader, Key, O) (Fragment, None) {
	return func(r *Reader, key Key, object O) (Fragment, None) { return translate(r, key, object), None{} }
}
