// Package routes translates HTTPRoutes, GRPCRoutes, TLSRoutes, TCPRoutes and UDPRoutes: the listeners
// that they are attached to, the hosts that they are served for, their matches, and their statuses.
//
// Request routes (HTTPRoute, GRPCRoute) share one translation, and so do stream routes (TLSRoute,
// TCPRoute, UDPRoute). A route reads what package gateway says of listeners, package backendref of
// what its rules send requests to, and package filter of what its plugins do. None of these knows
// of routes.
package routes
