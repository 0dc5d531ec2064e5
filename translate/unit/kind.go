package unit

const (
	// The core group.
	Service   Kind = "Service"
	Secret    Kind = "Secret"
	ConfigMap Kind = "ConfigMap"
	Namespace Kind = "Namespace"

	// Other groups of Kubernetes.
	Ingress       Kind = "Ingress"
	IngressClass  Kind = "IngressClass"
	EndpointSlice Kind = "EndpointSlice"
	// CustomResourceDefinition has metadata only. The translation reads only definitions that name
	// the version of their bundle.
	CustomResourceDefinition Kind = "CustomResourceDefinition"

	// Gateway API.
	GatewayClass Kind = "GatewayClass"
	Gateway      Kind = "Gateway"
	ListenerSet  Kind = "ListenerSet"
	// XListenerSet is the ListenerSet of the experimental channel of Gateway API 1.3 and 1.4.
	XListenerSet     Kind = "XListenerSet"
	HTTPRoute        Kind = "HTTPRoute"
	GRPCRoute        Kind = "GRPCRoute"
	TLSRoute         Kind = "TLSRoute"
	TCPRoute         Kind = "TCPRoute"
	UDPRoute         Kind = "UDPRoute"
	ReferenceGrant   Kind = "ReferenceGrant"
	BackendTLSPolicy Kind = "BackendTLSPolicy"

	// Kong.
	KongPlugin             Kind = "KongPlugin"
	KongClusterPlugin      Kind = "KongClusterPlugin"
	KongConsumer           Kind = "KongConsumer"
	KongConsumerGroup      Kind = "KongConsumerGroup"
	KongVault              Kind = "KongVault"
	KongCustomEntity       Kind = "KongCustomEntity"
	KongLicense            Kind = "KongLicense"
	KongUpstreamPolicy     Kind = "KongUpstreamPolicy"
	KongIngress            Kind = "KongIngress"
	IngressClassParameters Kind = "IngressClassParameters"
	KongServiceFacade      Kind = "KongServiceFacade"
	TCPIngress             Kind = "TCPIngress"
	UDPIngress             Kind = "UDPIngress"
)

// groups holds the API group of each kind outside the core group.
var groups = map[Kind]string{}

func init() {
	for group, kinds := range map[string][]Kind{
		"networking.k8s.io":                       {Ingress, IngressClass},
		"discovery.k8s.io":                        {EndpointSlice},
		"apiextensions.k8s.io":                    {CustomResourceDefinition},
		"gateway.networking.k8s.io":               {GatewayClass, Gateway, ListenerSet, HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute, ReferenceGrant, BackendTLSPolicy},
		"gateway.networking.x-k8s.io":             {XListenerSet},
		"configuration.konghq.com":                {KongPlugin, KongClusterPlugin, KongConsumer, KongConsumerGroup, KongVault, KongCustomEntity, KongLicense, KongUpstreamPolicy, KongIngress, IngressClassParameters, TCPIngress, UDPIngress},
		"incubator.ingress-controller.konghq.com": {KongServiceFacade},
	} {
		for _, kind := range kinds {
			groups[kind] = group
		}
	}
}

// Group returns the API group of the kind; "" is the core group.
func (k Kind) Group() string { return groups[k] }

// IsCore reports whether a reference's group is the core group, which is "". Like the Kong Ingress
// Controller, it also accepts "core", which is the name of no other group.
func IsCore[T ~string](group T) bool { return group == "" || group == "core" }

// SameGroup reports whether a reference's group is the group of a kind.
func SameGroup[T ~string](group T, of string) bool {
	return string(group) == of || of == "" && IsCore(group)
}

// WithArticle returns the kind with its indefinite article, for messages: "an HTTPRoute".
func (k Kind) WithArticle() string {
	switch k {
	case HTTPRoute, Ingress, IngressClass, IngressClassParameters, EndpointSlice, XListenerSet:
		return "an " + string(k)
	}
	return "a " + string(k)
}

// QualifiedKind returns the name of a kind for messages: Service, or Service.example.org outside
// the core group.
func QualifiedKind[G, K ~string](group G, kind K) string {
	if group == "" {
		return string(kind)
	}
	return string(kind) + "." + string(group)
}
