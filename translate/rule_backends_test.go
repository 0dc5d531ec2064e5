package translate_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// TestEndpointsOfARoute tests that a changed endpoint of an HTTPRoute's backend translates the rule's
// references and backends again, but neither the route nor other rules.
func TestEndpointsOfARoute(t *testing.T) {
	g := translate.New(translate.Options{IngressClass: "kong"})
	port := gatewayv1.PortNumber(80)
	ref := func(name string) gatewayv1.HTTPBackendRef {
		return gatewayv1.HTTPBackendRef{BackendRef: gatewayv1.BackendRef{BackendObjectReference: gatewayv1.BackendObjectReference{
			Name: gatewayv1.ObjectName(name), Port: &port}}}
	}
	route := &gatewayv1.HTTPRoute{ObjectMeta: meta("route"), Spec: gatewayv1.HTTPRouteSpec{
		CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: "gateway"}}},
	}}
	const rules = 5
	changes := []unit.Change{
		change(&gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "kong"}, Spec: gatewayv1.GatewayClassSpec{
			ControllerName: gatewayapi.DefaultController}}),
		change(&gatewayv1.Gateway{ObjectMeta: meta("gateway"), Spec: gatewayv1.GatewaySpec{GatewayClassName: "kong",
			Listeners: []gatewayv1.Listener{{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType}}}}),
		change(route)}
	for i := range rules {
		name := fmt.Sprint("app-", i)
		path, prefix := fmt.Sprint("/", i), gatewayv1.PathMatchPathPrefix
		route.Spec.Rules = append(route.Spec.Rules, gatewayv1.HTTPRouteRule{BackendRefs: []gatewayv1.HTTPBackendRef{ref(name)},
			Matches: []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Type: &prefix, Value: &path}}}})
		changes = append(changes, change(newService(name)), change(newSlice(name, i, 2)))
	}
	g.Update(changes...)
	if view, ok := g.Source(unit.HTTPRoute.Of(route)); !ok || len(view.Entities) != rules {
		t.Fatalf("the route has %d entities", len(view.Entities))
	}
	result := g.Update(change(newSlice("app-3", 3, 4)))
	if len(result.Units) != 1 || len(result.Objects) != 0 || result.Translated["default"] != 2 {
		t.Errorf("more endpoints changed %d units and the status of %d objects, and translated %v", len(result.Units), len(result.Objects), result.Translated)
	}
	// The route's status must report a backend whose Service was deleted.
	gone := change(newService("app-3"))
	gone.Object = nil
	if result = g.Update(gone); len(result.Objects) == 0 || result.Translated["default"] != 3 {
		t.Errorf("without its Service the status of %d objects changed, and %v were translated", len(result.Objects), result.Translated)
	}
}
