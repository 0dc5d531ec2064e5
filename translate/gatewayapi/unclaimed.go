package gatewayapi

import known "sigs.k8s.io/gateway-api/pkg/features"

// unclaimed are all other features of gateways, and why the GatewayClass does not claim them.
var unclaimed = map[known.FeatureName]string{}

// WhyNotClaimed says why a feature is not among Features; "" of one that is, and of those of service meshes.
func WhyNotClaimed(name known.FeatureName) string { return unclaimed[name] }
