package translate

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/unit"
)

func TestUnserved(t *testing.T) {
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "shop", Name: name} }
	route := &gatewayv1.HTTPRoute{ObjectMeta: meta("api"), Spec: gatewayv1.HTTPRouteSpec{
		CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: "web"}}}}}
	gateway := &gatewayv1.Gateway{ObjectMeta: meta("web"), Spec: gatewayv1.GatewaySpec{GatewayClassName: "kong"}}
	other := "other"
	named := &networkingv1.Ingress{ObjectMeta: meta("named"), Spec: networkingv1.IngressSpec{IngressClassName: &other}}
	annotated := &networkingv1.Ingress{ObjectMeta: meta("annotated")}
	annotated.Annotations = map[string]string{class.Annotation: "other"}
	ours := &networkingv1.Ingress{ObjectMeta: meta("ours")}
	ours.Annotations = map[string]string{class.Annotation: "kong"}

	keys := []unit.Key{
		unit.HTTPRoute.Key("shop", "api"), unit.Gateway.Key("shop", "web"),
		unit.Ingress.Key("shop", "named"), unit.Ingress.Key("shop", "annotated"), unit.Ingress.Key("shop", "ours"),
	}
	graph := New(Options{IngressClass: "kong"})
	for _, step := range []struct {
		add  []unit.Change
		want []string
	}{
		{
			[]unit.Change{{Key: keys[0], Object: route}, {Key: keys[2], Object: named}, {Key: keys[3], Object: annotated}, {Key: keys[4], Object: ours}},
			[]string{
				"HTTPRoute shop/api spec.parentRefs ParentNotFound: Gateway shop/web is not among the manifests",
				"Ingress shop/named spec.ingressClassName ClassNotFound: IngressClass other is not among the manifests",
				`Ingress shop/annotated metadata.annotations[kubernetes.io/ingress.class] ClassNotFound: IngressClass other is not among the manifests`,
			},
		},
		{
			[]unit.Change{{Key: keys[1], Object: gateway}, {Key: unit.IngressClass.Key("", "other"), Object: &networkingv1.IngressClass{}}},
			[]string{
				"HTTPRoute shop/api spec.parentRefs ParentNotFound: GatewayClass kong is not among the manifests",
				"Gateway shop/web spec.gatewayClassName ParentNotFound: GatewayClass kong is not among the manifests",
			},
		},
	} {
		graph.Update(step.add...)
		var got []string
		for _, key := range keys {
			for _, v := range Unserved(graph, key) {
				got = append(got, fmt.Sprintf("%s %s %s: %s", v.Object, v.Field, v.Reason, v.Message))
			}
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Error(diff)
		}
	}
}
