package unit

// The kinds of Gateway API.
const (
	GatewayClass   Kind = "GatewayClass"
	Gateway        Kind = "Gateway"
	ListenerSet    Kind = "ListenerSet"
	HTTPRoute      Kind = "HTTPRoute"
	GRPCRoute      Kind = "GRPCRoute"
	TLSRoute       Kind = "TLSRoute"
	TCPRoute       Kind = "TCPRoute"
	UDPRoute       Kind = "UDPRoute"
	ReferenceGrant Kind = "ReferenceGrant"
	// BackendTLSPolicy says how the backends of a Service are spoken to over TLS.
	BackendTLSPolicy Kind = "BackendTLSPolicy"
)
