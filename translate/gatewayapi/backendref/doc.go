// Package backendref translates what the rules of routes send requests and connections to. The
// references of a rule are followed by one unit, so that its route is not translated again when
// endpoints change; another makes the Kong service and the upstreams, and what the relay is told.
//
// Rules of GRPCRoutes are read in the form of those of HTTPRoutes, which can say all that they say
// but for their matches.
package backendref
