package kong

import (
	"strings"

	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
)

// Ranking is a route with the places that it may have among the routes of its rank.
type Ranking struct {
	Rank Rank
	// Extent is which of the rank's requests the route is for.
	Extent *Extent
	// First are the entities for the place of a route that is alone in its rank, and At those
	// for another place.
	First []*Entity
	At    func(Place) []*Entity
}

// Rank is what routes have in common of which one request may match several, so that nothing but
// their places says which it is for. Where it differs their priorities say so, or no request
// matches both.
//
// Beside the priority it is what of a match has one value in a request: ports, hosts, and paths of
// one length exclude each other, but for an element that one path ends with a slash and another
// without. Regular expressions don't, nor do paths that are too long for their length to count:
// all of one priority and host have one rank.
type Rank struct {
	Priority    uint64
	Port        int
	Host        route.Host
	Path        string // without slashes at the end
	Overlapping bool   // paths do not exclude each other
}

// Ranked returns the ranking of a route. The error says which part of the match the router
// cannot be told, or which limit the match exceeds.
func Ranked(r route.Route, limits limit.Limits) (Ranking, error) {
	extent := extentOf(r)
	r.Place = uint64(extent.First())
	first, err := Route(r, limits)
	if err != nil {
		return Ranking{}, err
	}
	rank := Rank{Priority: Priority(r.Match), Port: r.Match.Port, Host: r.Match.Host, Overlapping: overlapping(r.Match.Path)}
	if !rank.Overlapping {
		rank.Path = strings.TrimRight(normalized(r.Match.Path.Value), "/")
	}
	return Ranking{
		Rank: rank, Extent: extent, First: first,
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
