package unit

// The kinds of Gateway API.
const (
	GatewayClass   Kind = "GatewayClass"
	Gateway        Kind = "Gateway"
	HTTPRoute      Kind = "HTTPRoute"
	ReferenceGrant Kind = "ReferenceGrant"
)
