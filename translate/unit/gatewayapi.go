package unit

// The kinds of Gateway API.
const (
	GatewayClass   Kind = "GatewayClass"
	Gateway        Kind = "Gateway"
	HTTPRoute      Kind = "HTTPRoute"
	GRPCRoute      Kind = "GRPCRoute"
	ReferenceGrant Kind = "ReferenceGrant"
)
