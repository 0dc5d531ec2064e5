package unit

// The kinds that say how Kong speaks to backends, and Kong's kinds beside Ingress.
const (
	ConfigMap              Kind = "ConfigMap"
	KongUpstreamPolicy     Kind = "KongUpstreamPolicy"
	KongIngress            Kind = "KongIngress"
	IngressClassParameters Kind = "IngressClassParameters"
	KongServiceFacade      Kind = "KongServiceFacade"
	TCPIngress             Kind = "TCPIngress"
	UDPIngress             Kind = "UDPIngress"
)
