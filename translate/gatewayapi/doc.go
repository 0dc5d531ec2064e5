// Package gatewayapi translates Gateway API: GatewayClasses, Gateways with their
// ListenerSets, the routes that are attached to them, and BackendTLSPolicies. Each object
// is a unit of its own, and so is what a rule of a route sends requests to, so that a
// change of endpoints concerns one upstream.
//
// A Gateway's unit tells its routes what its listeners allow; a route's unit tells which
// listeners it is attached to, which the Gateway's status counts. Every object of ours
// has a whole status; of those of other controllers nothing is read but their class.
//
// Routes of requests (HTTPRoute, GRPCRoute) are translated in the words of HTTPRoutes,
// routes of streams (TLSRoute, TCPRoute, UDPRoute) in those of connections. What Kong
// cannot say is the configuration of a plugin in Lua or of the relay, each only on the
// routes that ask for it.
package gatewayapi
