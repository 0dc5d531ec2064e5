package kong

import (
	"fmt"
	"strings"

	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
)

// Ranked gives a route for each place that it may have among the routes of its rank, and the
// entities of the first place.
// Of two routes in the same slot one request may match both, and nothing but the place
// says which one it is for; in different slots their priorities say so, or no request
// matches both.
//
// So the slot is the rank and what of the match is of one value in a request: ports, hosts,
// paths and methods of one length and kind exclude each other. Regular expressions
// don't, and all of one rank are in one slot.
func Ranked(r route.Route, limits limit.Limits) (slot string, first []*Entity, at func(place int) []*Entity, err error) {
	r.Place = 1
	if _, first, err = Route(r, limits); err != nil {
		return "", nil, nil, err
	}
	path := "~"
	if r.Match.Path.Kind != route.Regex {
		path = strings.TrimRight(normalized(r.Match.Path.Value), "/")
	}
	slot = fmt.Sprintf("rank %d %d %s %s %s", Priority(r.Match), r.Match.Port, r.Match.Host, strings.Join(r.Match.Methods, ","), path)
	return slot, first, func(place int) []*Entity {
		later := r
		later.Place = place + 1
		_, entities, err := Route(later, limits)
		if err != nil {
			panic(err) // it went well for the first place
		}
		return entities
	}, nil
}
