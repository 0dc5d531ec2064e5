// Package routes translates HTTPRoutes, GRPCRoutes, TLSRoutes, TCPRoutes and UDPRoutes: the listeners
// that they are attached to, the hosts that they are served for, their matches, and their statuses.
//
// Request routes (HTTPRoute, GRPCRoute) share one translation, and so do stream routes (TLSRoute,
// TCPRoute, UDPRoute). Listeners come from package gateway, the backends of rules from package
// backendref, and plugins for filters from package filter. None of these uses this package.
package routes
