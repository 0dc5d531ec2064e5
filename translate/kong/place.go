package kong

import "slices"

// Place is where a route is among those of the same rank, as it is in its priority: the highest
// comes first.
type Place uint64

// Routes that serve plain requests and nothing else have places of their own, before all
// others: a route for https alone answers plain requests too, by asking for https, but only
// those that no route of its namespace serves. To other namespaces an older one leaves none.
// Both have as many places; the routes that come after share the last.
const (
	placeBits  = 11
	firstPlain = Place(1<<placeBits - 1)
	lastPlain  = Place(1 << (placeBits - 1))
	firstOther = lastPlain - 1
	lastOther  = Place(1)
)

// Standing is what a route is left with by those before it in its slot.
type Standing struct {
	// Place is zero if nothing is left.
	Place Place
	// By is the first of those before it that leave nothing; -1 if something is left.
	By int
}

// mostRivals is how many routes before one are looked at for whether they leave it anything. Of
// one that they may leave nothing, but only with later ones, it is not found out.
const mostRivals = 256

// Arrangement gives the routes of one slot their standings, the oldest first. The standing of a
// route does not depend on those that follow. The zero value is without routes.
type Arrangement struct {
	extents      []*Extent
	plain, other uint64 // how many have such a place
	lowered      bool   // a route before serves plain requests, and others
	redirecting  []string
	before       []int
}

// Add returns the standing of the next route, which is of a namespace. A nil extent is of a route
// that is not there.
func (a *Arrangement) Add(e *Extent, namespace string) Standing {
	standing := Standing{By: -1}
	if e != nil {
		first := a.servedFirst(e, namespace)
		if by := e.lostTo(a.extents, a.before, first); by >= 0 {
			standing.By = by
		} else if first {
			standing.Place = Place(max(uint64(firstPlain)-a.plain, uint64(lastPlain)))
		} else {
			standing.Place = Place(max(int64(firstOther)-int64(a.other), int64(lastOther)))
		}
	}
	a.Keep(e, namespace, standing)
	return standing
}

// Keep is Add for a route whose standing is known.
func (a *Arrangement) Keep(e *Extent, namespace string, standing Standing) {
	a.extents = append(a.extents, e)
	if standing.Place == 0 {
		return
	}
	if standing.Place >= lastPlain {
		a.plain++
	} else {
		a.other++
		a.lowered = a.lowered || e.plain
	}
	if e.redirects && len(a.redirecting) < 2 && !slices.Contains(a.redirecting, namespace) {
		a.redirecting = append(a.redirecting, namespace) // of two, one is another than any
	}
	if len(a.before) < mostRivals {
		a.before = append(a.before, len(a.extents)-1)
	}
}

// servedFirst reports whether plain requests are a route's rather than for another one to ask
// for TLS.
func (a *Arrangement) servedFirst(e *Extent, namespace string) bool {
	foreign := func(other string) bool { return other != namespace }
	return e.plain && !e.secure && !a.lowered && !slices.ContainsFunc(a.redirecting, foreign)
}

// First is the place of a route that is alone in its slot.
func (e *Extent) First() Place {
	if e.plain && !e.secure {
		return firstPlain
	}
	return firstOther
}
