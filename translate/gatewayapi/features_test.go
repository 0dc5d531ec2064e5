package gatewayapi

import (
	"cmp"
	"slices"
	"testing"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	known "sigs.k8s.io/gateway-api/pkg/features"
)

// Of Gateway API nothing is left out without a word: each feature is claimed, or there is a reason why not.
func TestEveryFeatureIsClaimedOrHasAReason(t *testing.T) {
	all := known.SetsToNamesSet(known.AllFeatures)
	mesh := known.SetsToNamesSet(known.MeshCoreFeatures, known.MeshExtendedFeatures)
	for name := range all.Difference(mesh) {
		claimed := slices.Contains(Features(), gatewayv1.SupportedFeature{Name: gatewayv1.FeatureName(name)})
		if claimed == (WhyNotClaimed(name) != "") {
			t.Errorf("%s is claimed: %t; the reason why not: %q", name, claimed, WhyNotClaimed(name))
		}
	}
	for _, f := range Features() {
		if name := known.FeatureName(f.Name); !all.Has(name) || mesh.Has(name) {
			t.Errorf("%s is claimed, and Gateway API knows no such feature of gateways", name)
		}
	}
	for name := range unclaimed {
		if !all.Has(name) || mesh.Has(name) {
			t.Errorf("%s has a reason, and Gateway API knows no such feature of gateways", name)
		}
	}
	byName := func(a, b gatewayv1.SupportedFeature) int { return cmp.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(Features(), byName) {
		t.Error("the features are not in order, as the specification wants them")
	}
}
