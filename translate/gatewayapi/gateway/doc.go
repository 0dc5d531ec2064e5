// Package gateway translates Gateways and ListenerSets: their listeners with ports, certificates and
// client certificates, the Service of a Gateway, and the statuses.
//
// One unit merges all listeners of a Gateway and its ListenerSets. Other units use parts of it, so
// that a change of one ListenerSet affects neither other ListenerSets nor routes for other hosts.
// Routes read the [Listener] values that [Roles] hold, and ask for the hosts of other listeners by
// [HostsWithin] and the like. This package does not know routes.
package gateway
