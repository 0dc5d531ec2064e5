package kong

import (
	"strings"

	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
)

// Ranking is a route with its possible places among the routes of its rank.
type Ranking struct {
	Rank Rank
	// Extent is the set of the rank's requests that the route matches.
	Extent *Extent
	// First are the entities for the place of a route that is alone in its rank, and At returns
	// those for another place.
	First []*Entity
	At    func(Place) []*Entity
}

// Rank is the same for routes with equal priorities that one request may match, so that only
// their places decide. If the ranks of two routes differ, their priorities decide, or no request
// matches both.
//
// Besides the priority, it holds the parts of a match that have one value in a request. Ports,
// hosts and paths of one length exclude each other, except for paths that differ in a final
// slash. Regular expressions, and paths beyond the length that counts, may overlap: those of one
// priority and host have one rank.
type Rank struct {
	Priority    uint64
	Port        int
	Host        route.Host
	Path        string // without final slashes
	Overlapping bool   // paths do not exclude each other
}

// Ranked returns the ranking of a route. The error names the part of the match that the router
// cannot express, or the limit that it exceeds.
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
				panic(err) // it succeeded for the first place
			}
			return entities
		},
	}, nil
}

// overlapping reports whether one request may match different paths of the kind and length.
func overlapping(p route.Path) bool {
	return p.Kind == route.Regex || p.Kind == route.Last || pathLength(p) == maxPathLength
}
