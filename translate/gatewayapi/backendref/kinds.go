package backendref

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// RequestRoute is what the kinds of request routes, HTTPRoute and GRPCRoute, differ in.
type RequestRoute struct {
	Kind schema.GroupVersionKind
	// rule is the role of the units of rules.
	rule unit.RoleBy[ruleOfHost, RuleBackends]
	// references is the role of the units of the references of rules.
	references unit.RoleBy[ruleIndex, *References]
	// protocol is that of Kong's services, and protocols are what they may have instead.
	protocol  string
	protocols []string
	// broken is the status of the share of a backend that is not there.
	broken int
	// PerHost names Kong's services by the host too. They are each rule's own then.
	PerHost bool
}

// RequestRoutes are the kinds of request routes.
var RequestRoutes = map[unit.Kind]RequestRoute{
	unit.HTTPRoute: {Kind: gatewayv1.SchemeGroupVersion.WithKind("HTTPRoute"), rule: "httproute-rule", references: "httproute-backends", protocol: "http", protocols: []string{"http", "https", "grpc", "grpcs"}, broken: 500},
	unit.GRPCRoute: {Kind: gatewayv1.SchemeGroupVersion.WithKind("GRPCRoute"), rule: "grpcroute-rule", references: "grpcroute-backends", protocol: "grpc", protocols: []string{"grpc", "grpcs"}, broken: 503, PerHost: true},
}

// StreamRoute is what the kinds of stream routes, TLSRoute, TCPRoute and UDPRoute, differ in.
type StreamRoute struct {
	Kind schema.GroupVersionKind
	// rule is the role of the units of rules.
	rule    unit.RoleBy[ruleIndex, StreamBackends]
	Purpose backend.For
	// references is the role of the units of the references of rules.
	references unit.RoleBy[ruleIndex, *References]
	// protocol is that of Kong's services.
	protocol string
}

// StreamRoutes are the kinds of stream routes.
var StreamRoutes = map[unit.Kind]StreamRoute{
	unit.TLSRoute: {Kind: gatewayv1.SchemeGroupVersion.WithKind("TLSRoute"), rule: "tlsroute-rule", references: "tlsroute-backends", Purpose: backend.Connections, protocol: "tcp"},
	unit.TCPRoute: {Kind: gatewayv1.SchemeGroupVersion.WithKind("TCPRoute"), rule: "tcproute-rule", references: "tcproute-backends", Purpose: backend.Connections, protocol: "tcp"},
	unit.UDPRoute: {Kind: gatewayv1.SchemeGroupVersion.WithKind("UDPRoute"), rule: "udproute-rule", references: "udproute-backends", Purpose: backend.Datagrams, protocol: "udp"},
}
