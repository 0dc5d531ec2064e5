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

// Arrange returns the standings of routes of one slot, the oldest first, each of the namespace
// of its index. A nil extent is of a route that is not there. The standing of a route does not
// depend on those that follow.
func Arrange(extents []*Extent, namespace func(int) string) []Standing {
	standings := make([]Standing, len(extents))
	if len(extents) == 1 && extents[0] != nil {
		standings[0] = Standing{extents[0].First(), -1}
		return standings
	}
	plain, other := firstPlain, firstOther
	lowered := false // a route before serves plain requests, and others
	var redirecting, before []int
	for i, e := range extents {
		standings[i].By = -1
		if e == nil {
			continue
		}
		foreign := func(other int) bool { return namespace(other) != namespace(i) }
		first := e.plain && !e.secure && !lowered && !slices.ContainsFunc(redirecting, foreign)
		if by := e.lostTo(extents, before, first); by >= 0 {
			standings[i].By = by
			continue
		}
		if first {
			standings[i].Place, plain = plain, max(plain-1, lastPlain)
		} else {
			standings[i].Place, other = other, max(other-1, lastOther)
			lowered = lowered || e.plain
		}
		if e.redirects && (len(redirecting) == 0 || len(redirecting) == 1 && foreign(redirecting[0])) {
			redirecting = append(redirecting, i) // of two namespaces one is foreign to any
		}
		if len(before) < mostRivals {
			before = append(before, i)
		}
	}
	return standings
}

// First is the place of a route that is alone in its slot.
func (e *Extent) First() Place {
	if e.plain && !e.secure {
		return firstPlain
	}
	return firstOther
}
