package anything

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Bystanders returns valid objects. They are older than all others and have names of their own, so no
// other object may change anything of theirs.
func Bystanders() []unit.Change {
	class, prefix, port, portName := "kong", networkingv1.PathTypePrefix, int32(8080), "http"
	ingress := &networkingv1.Ingress{ObjectMeta: bystander("default", "bystander"), Spec: networkingv1.IngressSpec{IngressClassName: &class,
		Rules: []networkingv1.IngressRule{{Host: "ingress.bystander.example", IngressRuleValue: networkingv1.IngressRuleValue{
			HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: &prefix,
				Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "bystander",
					Port: networkingv1.ServiceBackendPort{Number: 80}}}}}}}}}}}
	service := &corev1.Service{ObjectMeta: bystander("default", "bystander"), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}}}}
	slice := &discoveryv1.EndpointSlice{ObjectMeta: bystander("default", "bystander"), Ports: []discoveryv1.EndpointPort{{Name: &portName, Port: &port}},
		Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.2.0.1"}}}}
	slice.Labels = map[string]string{discoveryv1.LabelServiceName: "bystander"}
	gatewayClass := &gatewayv1.GatewayClass{ObjectMeta: bystander("", "kong"), Spec: gatewayv1.GatewayClassSpec{ControllerName: "konghq.com/kic-gateway-controller"}}
	gatewayClass.Annotations = map[string]string{"konghq.com/gatewayclass-unmanaged": "true"}
	gateway := &gatewayv1.Gateway{ObjectMeta: bystander("default", "gw"), Spec: gatewayv1.GatewaySpec{GatewayClassName: "kong",
		Listeners: []gatewayv1.Listener{{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType}}}}
	return []unit.Change{
		there(unit.Ingress, ingress), there(unit.Service, service), there(unit.EndpointSlice, slice),
		there(unit.GatewayClass, gatewayClass), there(unit.Gateway, gateway), there(unit.HTTPRoute, bystanderRoute()),
	}
}

func bystanderRoute() *gatewayv1.HTTPRoute {
	to := gatewayv1.BackendRef{BackendObjectReference: gatewayv1.BackendObjectReference{Name: "bystander", Port: new(gatewayv1.PortNumber(80))}}
	route := &gatewayv1.HTTPRoute{ObjectMeta: bystander("default", "bystander")}
	route.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: "gw"}}
	route.Spec.Hostnames = []gatewayv1.Hostname{"route.bystander.example"}
	route.Spec.Rules = []gatewayv1.HTTPRouteRule{{BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: to}}}}
	return route
}

func bystander(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("bystander-" + name)}
}

func there(kind unit.Kind, object unit.Object) unit.Change {
	return unit.Change{Key: unit.Key{Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName()}, Object: object}
}
