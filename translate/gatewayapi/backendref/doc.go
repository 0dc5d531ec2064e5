// Package backendref translates the backendRefs of routes' rules. One unit resolves the references
// of a rule, so that its route is not translated again when endpoints change. Another makes the
// Kong service, the upstreams and the relay's configuration.
//
// Rules of GRPCRoutes are converted to rules of HTTPRoutes, which can express everything but their
// matches.
package backendref
