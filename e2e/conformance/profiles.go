package conformance

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/gateway-api/pkg/features"

	"github.com/kube-sync/kube-sync/translate/gatewayapi"
)

// gatewayProfiles are the suite's profiles that are about gateways, and what one has to claim to take part in each.
var gatewayProfiles = []struct {
	name string
	kind features.FeatureName
}{
	{"GATEWAY-HTTP", features.SupportHTTPRoute},
	{"GATEWAY-GRPC", features.SupportGRPCRoute},
	{"GATEWAY-TLS", features.SupportTLSRoute},
	{"GATEWAY-TCP", features.SupportTCPRoute},
	{"GATEWAY-UDP", features.SupportUDPRoute},
}

// profiles are those to take part in.
func profiles() []string {
	claimed := claimed()
	var names []string
	for _, p := range gatewayProfiles {
		if slices.Contains(claimed, p.kind) {
			names = append(names, p.name)
		}
	}
	return names
}

// claimed are the features of the GatewayClass.
func claimed() []features.FeatureName {
	var names []features.FeatureName
	for _, f := range gatewayapi.Features() {
		names = append(names, features.FeatureName(f.Name))
	}
	return names
}

// everything are the features that a gateway may have, in order.
func everything() []features.FeatureName {
	var names []features.FeatureName
	for _, name := range sets.List(features.SetsToNamesSet(features.AllFeatures)) {
		if !mesh(name) {
			names = append(names, name)
		}
	}
	return names
}

// mesh tells the features of service meshes, which Kong is none of.
func mesh(name features.FeatureName) bool {
	return features.SetsToNamesSet(features.MeshCoreFeatures, features.MeshExtendedFeatures).Has(name)
}
