package routing

import "github.com/kube-sync/kube-sync/translate/route"

// SchemePart is one of the routes that Kong needs for one route.
type SchemePart struct {
	route.Route
	// Requests names the part's requests in messages; empty for all requests of the route.
	Requests string
}

// SchemeParts returns the one or two routes that Kong needs for a route with server names. Server
// names raise the priority, which must not apply to plain requests, as these have none. A Kong
// route has one priority, so a route with server names for both schemes becomes two. The one for
// requests over TLS keeps the name.
func SchemeParts(r route.Route) []SchemePart {
	e := ExtentOf(r)
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
