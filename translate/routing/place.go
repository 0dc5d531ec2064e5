package routing

// Place is the position of a route among those of the same rank. It is part of the priority: the
// highest comes first.
type Place uint64

// Routes that only serve plain requests have places before all others, if that takes no request
// from another namespace: a route for https only also answers plain requests, with a redirect to
// https, but only those that no route of its namespace serves. Both ranges of places have the
// same size. The routes for which no place is left share the last one of their range.
const (
	placeBits  = 11
	firstPlain = Place(1<<placeBits - 1)
	lastPlain  = Place(1 << (placeBits - 1))
	firstOther = lastPlain - 1
	lastOther  = Place(1)
)

// Shared reports whether several routes share the place, in no particular order.
func (p Place) Shared() bool { return p == lastPlain || p == lastOther }

// Standing is what the older routes of a slot leave to a route.
type Standing struct {
	// Place is zero if nothing is left.
	Place Place
	// By is the index of the first older route that takes requests of the route, if nothing is
	// left; else -1.
	By int
}

// mostRivals and mostWork bound the cost of comparing one route with the older ones of its slot,
// in routes and in look-ups. If they do not suffice to show that nothing is left to a route, Kong
// gets the route, after the older ones.
const (
	mostRivals = 256
	mostWork   = 1 << 13
)

// Arrangement holds the standings of the routes of one slot, the oldest first. A standing does
// not depend on younger routes. The zero value has no routes.
type Arrangement struct {
	routes []arranged
	// before are the first routes that have a place, and other are those with one in the second
	// range.
	before, other []int
	// plain and others count the places taken in each range, plainOf and othersOf those of each
	// namespace.
	plain, others     int
	plainOf, othersOf map[string]int
}

// arranged is a route of an Arrangement. The Extent is nil if the route has no effect.
type arranged struct {
	*Extent
	namespace string
	place     Place
}

// Len returns the number of routes.
func (a *Arrangement) Len() int { return len(a.routes) }

// Add appends a route of a namespace and returns its standing. A nil extent is a route without
// effect.
func (a *Arrangement) Add(e *Extent, namespace string) Standing {
	standing := Standing{By: -1}
	if e != nil {
		first := a.servedFirst(e, namespace)
		if standing.By = a.lostTo(e, first); standing.By < 0 {
			standing.Place = a.take(first, namespace)
		}
	}
	i := len(a.routes)
	a.routes = append(a.routes, arranged{e, namespace, standing.Place})
	if standing.Place == 0 {
		return standing
	}
	if standing.Place < lastPlain {
		a.other = append(a.other, i)
	}
	if len(a.before) < mostRivals {
		a.before = append(a.before, i)
	}
	return standing
}

// take returns the next place. A namespace takes at most half of the places that are left, so
// that the routes of others keep their order.
func (a *Arrangement) take(first bool, namespace string) Place {
	if a.plainOf == nil {
		a.plainOf, a.othersOf = map[string]int{}, map[string]int{}
	}
	if first {
		return taken(firstPlain, lastPlain, &a.plain, a.plainOf, namespace)
	}
	return taken(firstOther, lastOther, &a.others, a.othersOf, namespace)
}

func taken(first, last Place, count *int, of map[string]int, namespace string) Place {
	if left := int(first-last) - *count; of[namespace] >= left {
		return last
	}
	place := first - Place(*count)
	*count++
	of[namespace]++
	return place
}

// Truncate keeps the first n routes.
func (a *Arrangement) Truncate(n int) {
	for i := len(a.routes) - 1; i >= n; i-- {
		r := a.routes[i]
		a.routes[i] = arranged{}
		switch {
		case r.place == 0:
			continue
		case r.place.Shared():
		case r.place > lastPlain:
			a.plain--
			a.plainOf[r.namespace]--
		default:
			a.others--
			a.othersOf[r.namespace]--
		}
		a.other, a.before = withoutLast(a.other, i), withoutLast(a.before, i)
	}
	a.routes = a.routes[:min(n, len(a.routes))]
}

func withoutLast(all []int, i int) []int {
	if n := len(all); n > 0 && all[n-1] == i {
		return all[:n-1]
	}
	return all
}

// servedFirst reports whether a route gets a place in the first range. Its plain requests then
// precede the redirects of its namespace, and must not include any that an older route serves, or
// that an older one of another namespace redirects.
func (a *Arrangement) servedFirst(e *Extent, namespace string) bool {
	if !e.plain || e.secure {
		return false
	}
	left := effort(mostWork)
	for _, i := range a.other {
		o := a.routes[i]
		if !o.plain && !o.redirects || !e.meets(o.Extent, &left) {
			continue
		}
		if !o.redirects || o.namespace != namespace {
			return false
		}
		if o.matches(e, &left) && within(e.methods, o.methods, &left) {
			break // the later ones have none of its requests
		}
	}
	return !left.exceeded()
}

// lostTo returns the first older route that takes requests of e if the older ones leave it
// nothing; else -1. If e is served first, only routes in the first range take its plain requests.
func (a *Arrangement) lostTo(e *Extent, servedFirst bool) int {
	left, by := effort(mostWork), -1
	plain, secure := uncovered(e.plain || e.redirects, e.methods), uncovered(e.secure, e.methods)
	for _, i := range a.before {
		o := a.routes[i]
		takesPlain := plain != nil && (o.plain || o.redirects) && (!servedFirst || o.place >= lastPlain)
		takesSecure := secure != nil && o.secure
		if !takesPlain && !takesSecure || !o.matches(e, &left) {
			continue
		}
		took := false
		if takesPlain {
			plain, took = o.cover(plain, &left)
		}
		if takesSecure && within(e.snis, o.snis, &left) {
			var more bool
			secure, more = o.cover(secure, &left)
			took = took || more
		}
		if took && by < 0 {
			by = i
		}
		if left.exceeded() {
			return -1
		}
		if plain == nil && secure == nil {
			return by
		}
	}
	return -1
}

// First returns the place of a route that is alone in its slot.
func (e *Extent) First() Place {
	if e.plain && !e.secure {
		return firstPlain
	}
	return firstOther
}
