package unit

// groups hold the API group of each kind that is not of the core group.
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

// IsCore reports whether a reference's group is the core group, which is "". The Kong Ingress
// Controller takes the name core for it too; there is no other group of that name.
func IsCore[T ~string](group T) bool { return group == "" || group == "core" }

// SameGroup reports whether a reference's group is that of a kind.
func SameGroup[T ~string](group T, of string) bool {
	return string(group) == of || of == "" && IsCore(group)
}
