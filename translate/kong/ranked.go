package kong

import (
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/routing"
)

// Ranking is a route with its possible places among the routes of its rank.
type Ranking struct {
	Rank routing.Rank
	// Extent is the set of the rank's requests that the route matches.
	Extent *routing.Extent
	// First are the entities for the place of a route that is alone in its rank, and At returns
	// those for another place.
	First []*Entity
	At    func(routing.Place) []*Entity
}

// Ranked returns the ranking of a route. The error names the part of the match that the router
// cannot express, or the limit that it exceeds.
func Ranked(r route.Route, limits limit.Limits) (Ranking, error) {
	extent := routing.ExtentOf(r)
	r.Place = uint64(extent.First())
	first, err := Route(r, limits)
	if err != nil {
		return Ranking{}, err
	}
	return Ranking{
		Rank: routing.RankOf(r.Match), Extent: extent, First: first,
		At: func(place routing.Place) []*Entity {
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
