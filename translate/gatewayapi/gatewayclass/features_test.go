package gatewayclass

import (
	"cmp"
	"slices"
	"testing"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	known "sigs.k8s.io/gateway-api/pkg/features"
)

// A class reports every feature of gateways that Gateway API defines, and no others.
func TestEveryFeatureIsReported(t *testing.T) {
	all := known.SetsToNamesSet(known.AllFeatures)
	mesh := known.SetsToNamesSet(known.MeshCoreFeatures, known.MeshExtendedFeatures)
	for name := range all.Difference(mesh) {
		if !slices.Contains(Features(), gatewayv1.SupportedFeature{Name: gatewayv1.FeatureName(name)}) {
			t.Errorf("%s is not reported", name)
		}
	}
	for _, f := range Features() {
		if name := known.FeatureName(f.Name); !all.Has(name) || mesh.Has(name) {
			t.Errorf("%s is reported, but Gateway API defines no such feature of gateways", name)
		}
	}
	byName := func(a, b gatewayv1.SupportedFeature) int { return cmp.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(Features(), byName) {
		t.Error("the features are not sorted, which the specification requires")
	}
}

// A class reports no feature whose ports, Services or relay are missing.
func TestFeaturesNeedTheirPorts(t *testing.T) {
	requests := Pool{gatewayv1.HTTPProtocolType: {20000}, gatewayv1.HTTPSProtocolType: {20020}}
	all := Pool{gatewayv1.HTTPProtocolType: {20000}, gatewayv1.HTTPSProtocolType: {20020},
		gatewayv1.TCPProtocolType: {20040}, gatewayv1.TLSProtocolType: {20060}, gatewayv1.UDPProtocolType: {20080}}
	for name, c := range map[string]struct {
		options Options
		pooled  bool
		without []known.FeatureName
	}{
		"all":             {Options{Relay: true, Pool: all}, true, nil},
		"without streams": {Options{Relay: true, Pool: requests}, true, []known.FeatureName{"TCPRoute", "TLSRoute", "TLSRouteModeMixed", "TLSRouteModeTerminate", "UDPRoute"}},
		"without a relay": {Options{Pool: all}, true, relayFeatures},
		"one Service, with UDP": {Options{Relay: true, Pool: all, Ports: map[gatewayv1.ProtocolType][]int32{gatewayv1.UDPProtocolType: {53}}}, false,
			[]known.FeatureName{"GatewayFrontendClientCertificateValidation", "GatewayFrontendClientCertificateValidationInsecureFallback", "GatewayInfrastructure", "GatewayPort8080", "GatewayStaticAddresses", "TCPRoute", "TLSRoute", "TLSRouteModeMixed", "TLSRouteModeTerminate"}},
	} {
		t.Run(name, func(t *testing.T) {
			reported := c.options.featuresOf(Class{Ours: true, Pooled: c.pooled})
			for _, f := range Features() {
				if has := slices.Contains(reported, f); has == slices.Contains(c.without, known.FeatureName(f.Name)) {
					t.Errorf("%s is reported: %t", f.Name, has)
				}
			}
		})
	}
}
