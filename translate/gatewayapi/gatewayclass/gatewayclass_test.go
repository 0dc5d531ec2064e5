package gatewayclass

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"

	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// A class reports whether the installed version of Gateway API is supported, if the definitions name a version.
func TestSupportedVersion(t *testing.T) {
	key := unit.CustomResourceDefinition.Key("", "gatewayclasses.gateway.networking.k8s.io")
	definition := func(version string) unit.Object {
		return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
			Name: key.Name, Annotations: map[string]string{consts.BundleVersionAnnotation: version},
		}}
	}
	g := unit.NewGraph(limit.Limits{})
	Define(g, Options{Controller: DefaultController})
	class := &gatewayv1.GatewayClass{
		ObjectMeta: metav1.ObjectMeta{Name: "kong"}, Spec: gatewayv1.GatewayClassSpec{ControllerName: DefaultController},
	}
	classKey := unit.GatewayClass.Key("", class.Name)
	g.Update(unit.Change{Key: classKey, Object: class})
	for _, step := range []struct {
		installed unit.Object
		want      metav1.ConditionStatus // "" for no condition
	}{
		{nil, ""},
		{definition(consts.BundleVersion), metav1.ConditionTrue},
		{definition("v1.0.0"), metav1.ConditionFalse},
		{definition("v1.6.99"), metav1.ConditionTrue},
		{definition("v1.3.0"), metav1.ConditionTrue},
		{definition("v1.1.1"), metav1.ConditionTrue},
		{definition("v1.7.0"), metav1.ConditionFalse},
		{definition("v2.3.0"), metav1.ConditionFalse},
		{definition("mine"), metav1.ConditionFalse},
		{nil, ""},
	} {
		g.Update(unit.Change{Key: key, Object: step.installed})
		status, _ := g.Status(classKey).Merge(class, unit.Moment{})
		conditions := status.(gatewayv1.GatewayClassStatus).Conditions
		if !meta.IsStatusConditionTrue(conditions, "Accepted") {
			t.Errorf("conditions %v: want the class accepted", conditions)
		}
		// In older definitions features have another type.
		features := status.(gatewayv1.GatewayClassStatus).SupportedFeatures
		if old := step.installed != nil && slices.Contains([]string{"v1.0.0", "v1.1.1"}, step.installed.GetAnnotations()[consts.BundleVersionAnnotation]); old != (len(features) == 0) {
			t.Errorf("with %v: %d features", step.installed, len(features))
		}
		got := metav1.ConditionStatus("")
		if c := meta.FindStatusCondition(conditions, "SupportedVersion"); c != nil {
			got = c.Status
		}
		if got != step.want {
			t.Errorf("with %v: SupportedVersion is %q, want %q", step.installed, got, step.want)
		}
	}
}
