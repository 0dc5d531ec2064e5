package unit

// The kinds of Gateway API.
const (
	GatewayClass Kind = "GatewayClass"
	Gateway      Kind = "Gateway"
	ListenerSet  Kind = "ListenerSet"
	// XListenerSet is what ListenerSets were in the experimental channel of Gateway API 1.3
	// and 1.4.
	XListenerSet   Kind = "XListenerSet"
	HTTPRoute      Kind = "HTTPRoute"
	GRPCRoute      Kind = "GRPCRoute"
	TLSRoute       Kind = "TLSRoute"
	TCPRoute       Kind = "TCPRoute"
	UDPRoute       Kind = "UDPRoute"
	ReferenceGrant Kind = "ReferenceGrant"
	// BackendTLSPolicy says how the backends of a Service are spoken to over TLS.
	BackendTLSPolicy Kind = "BackendTLSPolicy"
)
