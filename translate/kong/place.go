package kong

// Place is where a route is among those of the same rank, as it is in its priority: the highest
// comes first.
type Place uint64

// Routes that serve plain requests and nothing else have places of their own, before all
// others, where that takes no request from another namespace: a route for https alone answers
// plain requests too, by asking for https, but only those that no route of its namespace serves.
// Both sorts have as many places. The last of each is shared by the routes for which no place
// is left.
const (
	placeBits  = 11
	firstPlain = Place(1<<placeBits - 1)
	lastPlain  = Place(1 << (placeBits - 1))
	firstOther = lastPlain - 1
	lastOther  = Place(1)
)

// Shared reports whether the order of the routes in a place is unknown.
func (p Place) Shared() bool { return p == lastPlain || p == lastOther }

// Standing is what the older routes of its slot leave to a route.
type Standing struct {
	// Place is zero if nothing is left.
	Place Place
	// By is the first older route that takes requests of one to which nothing is left; -1 if
	// something is left.
	By int
}

// mostRivals and mostWork limit what the comparison of one route with the older ones of its slot
// costs, in routes and in values that are looked up. A route is left in Kong where they don't
// suffice to find out that the older ones leave it nothing, and it is not served before them.
const (
	mostRivals = 256
	mostWork   = 1 << 13
)

// Arrangement holds the standings of the routes of one slot, the oldest first. The standing of a
// route does not depend on those that follow. The zero value is without routes.
type Arrangement struct {
	routes []arranged
	// before are the first routes that have a place, and other those that have one of the
	// second sort.
	before, other []int
	// plainOf and otherOf count the places of each namespace.
	plain, others     int
	plainOf, othersOf map[string]int
}

// arranged is a route of an Arrangement. A nil extent is of a route that is not there.
type arranged struct {
	*Extent
	namespace string
	place     Place
}

// Len returns the number of routes.
func (a *Arrangement) Len() int { return len(a.routes) }

// Add returns the standing of the next route, which is of a namespace. A nil extent is of a route
// that is not there.
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

// take returns the next place. A namespace takes half of those that are left at most, so that
// the routes of others keep their order.
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

// Truncate removes all routes but the first n.
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

// servedFirst reports whether plain requests are a route's rather than for a route of its
// namespace to ask for TLS, and that takes none that an older route serves, or for which an
// older one of another namespace asks for TLS.
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
			break // all that follow have none of its requests
		}
	}
	return !left.exceeded()
}

// lostTo returns the first older route that takes requests of one to which they leave nothing,
// and -1 if they leave something. Served first tells that only routes that are served first too
// take its plain requests.
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

// First is the place of a route that is alone in its slot.
func (e *Extent) First() Place {
	if e.plain && !e.secure {
		return firstPlain
	}
	return firstOther
}
