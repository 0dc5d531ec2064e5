package translate_test

import (
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// change returns the change that adds or updates an object.
func change(object unit.Object) unit.Change {
	kind := unit.Kind(reflect.TypeOf(object).Elem().Name()) // kinds have the names of their types
	return unit.Change{
		Key:    kind.Of(object),
		Object: object,
	}
}

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID("uid-" + name)}
}

// app returns the i-th application of a large cluster: an Ingress, a Service and an EndpointSlice.
func app(i, endpoints int) []unit.Change {
	name := fmt.Sprintf("app-%d", i)
	return []unit.Change{
		change(newIngress(name, name+".example.com")),
		change(newService(name)),
		change(newSlice(name, i, endpoints)),
	}
}

func newIngress(name, host string) *networkingv1.Ingress {
	class, prefix := "kong", networkingv1.PathTypePrefix
	return &networkingv1.Ingress{
		ObjectMeta: meta(name),
		Spec: networkingv1.IngressSpec{
			IngressClassName: &class,
			Rules: []networkingv1.IngressRule{{
				Host: host,
				IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
					Paths: []networkingv1.HTTPIngressPath{{
						Path: "/", PathType: &prefix,
						Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
							Name: name, Port: networkingv1.ServiceBackendPort{Number: 80},
						}},
					}},
				}},
			}},
		},
	}
}

func newService(name string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: meta(name),
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	}
}

func newSlice(name string, i, endpoints int) *discoveryv1.EndpointSlice {
	port, portName := int32(8080), "http"
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  meta(name),
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &portName, Port: &port}},
	}
	slice.Labels = map[string]string{discoveryv1.LabelServiceName: name}
	for e := range endpoints {
		address := fmt.Sprintf("10.%d.%d.%d", e, i/250%250, i%250)
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{address}})
	}
	return slice
}
