package routes

import (
	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendref"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Options are settings of the operator.
type Options struct {
	// Controller is the controllerName for statuses.
	Controller string
	// Relay does what Kong cannot.
	Relay backendref.Relay
	// Isolated is whether hosts belong to namespaces.
	Isolated bool
}

// The roles of the units of request routes.
const (
	httpRole unit.Role[unit.None] = "httproute"
	grpcRole unit.Role[unit.None] = "grpcroute"
)

// Define adds the units of routes of all kinds to a graph.
func Define(g *unit.Graph, o Options) {
	unit.Each(g, httpRole, unit.HTTPRoute, unit.Valueless(o.httpRoute))
	unit.Each(g, grpcRole, unit.GRPCRoute, unit.Valueless(o.grpcRoute))
	for kind := range backendref.RequestRoutes {
		plugin.DefineExtensible(g, kind, extensions, isAttached)
	}
	o.defineStreams(g)
	unit.Shared(g, unimplementedRole, "", o.unimplemented)
}
