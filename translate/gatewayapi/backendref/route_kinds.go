package backendref

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// RequestRoute holds the differences between the kinds of request routes, HTTPRoute and GRPCRoute.
type RequestRoute struct {
	Kind schema.GroupVersionKind
	// rule is the role of the units of rules.
	rule unit.RoleBy[ruleOfHost, RuleBackends]
	// references is the role of the units that resolve the references of rules.
	references unit.RoleBy[ruleIndex, *References]
	// protocol is the default protocol of Kong's services, protocols are the possible ones.
	protocol  string
	protocols []string
	// broken is the status that answers the requests of an unavailable backend.
	broken int
	// PerHost is whether each host of a rule has a Kong service of its own, named after it.
	PerHost bool
}

// RequestRoutes are the kinds of request routes.
var RequestRoutes = map[unit.Kind]RequestRoute{
	unit.HTTPRoute: {Kind: gatewayv1.SchemeGroupVersion.WithKind("HTTPRoute"), rule: "httproute-rule", references: "httproute-backends", protocol: "http", protocols: []string{"http", "https", "grpc", "grpcs"}, broken: 500},
	unit.GRPCRoute: {Kind: gatewayv1.SchemeGroupVersion.WithKind("GRPCRoute"), rule: "grpcroute-rule", references: "grpcroute-backends", protocol: "grpc", protocols: []string{"grpc", "grpcs"}, broken: 503, PerHost: true},
}

// StreamRoute holds the differences between the kinds of stream routes: TLSRoute, TCPRoute, UDPRoute.
type StreamRoute struct {
	Kind schema.GroupVersionKind
	// rule is the role of the units of rules.
	rule    unit.RoleBy[ruleIndex, StreamBackends]
	Purpose backend.Purpose
	// references is the role of the units that resolve the references of rules.
	references unit.RoleBy[ruleIndex, *References]
	// protocol is the default protocol of Kong's services.
	protocol string
}

// StreamRoutes are the kinds of stream routes.
var StreamRoutes = map[unit.Kind]StreamRoute{
	unit.TLSRoute: {Kind: gatewayv1.SchemeGroupVersion.WithKind("TLSRoute"), rule: "tlsroute-rule", references: "tlsroute-backends", Purpose: backend.Connections, protocol: "tcp"},
	unit.TCPRoute: {Kind: gatewayv1.SchemeGroupVersion.WithKind("TCPRoute"), rule: "tcproute-rule", references: "tcproute-backends", Purpose: backend.Connections, protocol: "tcp"},
	unit.UDPRoute: {Kind: gatewayv1.SchemeGroupVersion.WithKind("UDPRoute"), rule: "udproute-rule", references: "udproute-backends", Purpose: backend.Datagrams, protocol: "udp"},
}
