package kong

import "github.com/kube-sync/kube-sync/translate/route"

// SchemePart is one of the routes that Kong needs for one route.
type SchemePart struct {
	route.Route
	// Requests names those of the part in messages; empty if they are all of the route's.
	Requests string
}

// SchemeParts returns the routes that Kong needs for a route, in one of which server names are left.
// Names are a closer match for requests over TLS, but not for plain requests, which have none:
// these would go to a route only because it has names. A route has one priority in Kong,
// so that one with names for both sorts of requests takes two. That for requests over TLS keeps
// the name.
func SchemeParts(r route.Route) []SchemePart {
	e := extentOf(r)
	plain := r
	plain.Match.SNIs = nil
	switch {
	case len(r.Match.SNIs) == 0 || !e.secure:
		return []SchemePart{{Route: plain}}
	case !e.plain && !e.redirects:
		return []SchemePart{{Route: r}}
	}
	secure := r
	plain.Match.Scheme, secure.Match.Scheme = "http", "https"
	plain.Name += ".plain"
	return []SchemePart{{secure, " for requests over TLS"}, {plain, " for plain requests"}}
}
