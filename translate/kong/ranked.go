package kong

import (
	"strconv"
	"strings"

	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
)

// Ranking is a route with the places that it may have among the routes of its rank.
type Ranking struct {
	// Slot names those of which one request may match several, so that nothing but the place
	// says which it is for. In different slots their priorities say so, or no request matches
	// both.
	Slot string
	// Extent is which of the slot's requests the route is for.
	Extent *Extent
	// First are the entities for the place of a route that is alone in its slot, and At those
	// for another place.
	First []*Entity
	At    func(Place) []*Entity
}

// Ranked returns the ranking of a route. The error says which part of the match the router
// cannot be told, or which limit the match exceeds.
//
// A slot is a rank and what of the match has one value in a request: ports, hosts, and paths of
// one length exclude each other, but for an element that one path ends with a slash and
// another without. Regular expressions don't, nor do paths that are too long for their length
// to count, and all of one rank and host are in one slot.
func Ranked(r route.Route, limits limit.Limits) (Ranking, error) {
	extent := extentOf(r)
	r.Place = uint64(extent.First())
	first, err := Route(r, limits)
	if err != nil {
		return Ranking{}, err
	}
	path := "~"
	if !overlapping(r.Match.Path) {
		path = strings.TrimRight(normalized(r.Match.Path.Value), "/")
	}
	return Ranking{
		Slot:   "rank " + strconv.FormatUint(Priority(r.Match), 36) + " " + strconv.Itoa(r.Match.Port) + " " + string(r.Match.Host) + " " + path,
		Extent: extent, First: first,
		At: func(place Place) []*Entity {
			later := r
			later.Place = uint64(place)
			entities, err := Route(later, limits)
			if err != nil {
				panic(err) // it went well for the first place
			}
			return entities
		},
	}, nil
}

// overlapping reports whether different paths of the kind and length may be of one request.
func overlapping(p route.Path) bool {
	return p.Kind == route.Regex || p.Kind == route.Last || pathLength(p) == maxPathLength
}
