package gateway

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Allow is called for each route and listener, so it must not parse the selector: that allocates.
func TestAllowedNamespaces(t *testing.T) {
	selector := func(operator metav1.LabelSelectorOperator) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{"team": "shop"},
			MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "stage", Operator: operator, Values: []string{"live", "test"}}}}
	}
	object := func(name string, labels map[string]string) unit.Change {
		return unit.Change{Key: unit.Namespace.Key("", name), Object: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}}
	}
	tested := false
	g := unit.NewGraph(limit.Limits{})
	unit.Each(g, unit.Role[unit.None]("test"), unit.Gateway, unit.Valueless(func(r *unit.Reader, _ unit.Key, _ *gatewayv1.Gateway) unit.Fragment {
		tested = true
		for name, test := range map[string]struct {
			Namespaces
			namespace string
			allowed   bool
			missing   bool
		}{
			"all":              {newNamespaces("infra", gatewayv1.NamespacesFromAll, nil), "other", true, false},
			"none":             {newNamespaces("infra", gatewayv1.NamespacesFromNone, nil), "infra", false, false},
			"same":             {newNamespaces("infra", gatewayv1.NamespacesFromSame, nil), "infra", true, false},
			"another":          {newNamespaces("infra", gatewayv1.NamespacesFromSame, nil), "shop", false, false},
			"selected":         {newNamespaces("infra", gatewayv1.NamespacesFromSelector, selector(metav1.LabelSelectorOpIn)), "shop", true, false},
			"other labels":     {newNamespaces("infra", gatewayv1.NamespacesFromSelector, selector(metav1.LabelSelectorOpIn)), "other", false, false},
			"missing":          {newNamespaces("infra", gatewayv1.NamespacesFromSelector, selector(metav1.LabelSelectorOpIn)), "gone", false, true},
			"without selector": {newNamespaces("infra", gatewayv1.NamespacesFromSelector, nil), "shop", false, false},
			"invalid selector": {newNamespaces("infra", gatewayv1.NamespacesFromSelector, selector("Like")), "shop", false, false},
		} {
			if got := test.Allow(r, test.namespace); got != test.allowed {
				t.Errorf("%s: namespace %s is allowed: %t, want %t", name, test.namespace, got, test.allowed)
			}
			if got := test.Missing(r, test.namespace) != (unit.Key{}); got != test.missing {
				t.Errorf("%s: namespace %s is missing: %t, want %t", name, test.namespace, got, test.missing)
			}
			if allocations := testing.AllocsPerRun(100, func() { test.Allow(r, test.namespace) }); allocations > 0 {
				t.Errorf("%s: Allow allocates %v times", name, allocations)
			}
		}
		return unit.Fragment{}
	}))
	g.Update(object("shop", map[string]string{"team": "shop", "stage": "live"}), object("other", nil), object("infra", nil),
		unit.Change{Key: unit.Gateway.Key("infra", "kong"), Object: &gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: "infra", Name: "kong"}}})
	if !tested {
		t.Error("the Gateway was not translated")
	}
}
