// Package gateway translates Gateways and ListenerSets: their listeners with ports, certificates and
// client certificates, the Service of a Gateway, and the statuses.
//
// One unit finds all listeners of a Gateway, those of its ListenerSets included. Others use its
// parts, so that the listeners of one ListenerSet concern no other, nor routes for other hosts.
// Routes read the [Listener] values that [Roles] hold, and ask for hosts of other listeners by
// [HostsWithin] and the like; this package knows nothing of routes.
package gateway
