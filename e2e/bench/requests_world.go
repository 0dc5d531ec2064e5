package bench

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate"
	addresses "github.com/kube-sync/kube-sync/translate/address"
	backends "github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// shape is a way in which many routes differ. host and path are those of a route; asked is the path of a request
// for it, to which the benchmark appends something that no other request has.
type shape struct {
	name        string
	host        func(i int) string
	path        func(i int) string
	asked       func(i int) string
	annotations map[string]string
	// most is the largest number of routes that is measured; 0 for any.
	most int
}

const (
	oneHost     = "shop.bench"
	regexesEach = 100 // regular expressions at one host
)

func everyPath(int) string { return "/" }

var shapes = []shape{
	{name: "hosts", host: func(i int) string { return host(routeName(i)) }, path: everyPath, asked: everyPath},
	{name: "paths of one host", host: func(int) string { return oneHost },
		path: func(i int) string { return fmt.Sprintf("/path-%d", i) }, asked: func(i int) string { return fmt.Sprintf("/path-%d/", i) }},
	{name: "wildcard hosts", most: 1000, host: func(i int) string { return "*." + host(routeName(i)) }, path: everyPath, asked: everyPath},
	{name: "hosts, with a method and a header", most: 1000, host: func(i int) string { return host(routeName(i)) }, path: everyPath, asked: everyPath,
		annotations: map[string]string{"konghq.com/methods": "GET", "konghq.com/headers.x-bench": "1"}},
	{name: "hosts with 100 regular expressions each", most: 1000, host: func(i int) string { return host(routeName(i / regexesEach)) },
		path:  func(i int) string { return fmt.Sprintf(`/~/(\w+)/path-%d/\d+`, i%regexesEach) },
		asked: func(i int) string { return fmt.Sprintf("/a/path-%d/", i%regexesEach) }},
}

// request returns the host and the path of the nth request, which is for a route.
func (s shape) request(route, n int) (host, path string) {
	return strings.Replace(s.host(route), "*", "any", 1), s.asked(route) + fmt.Sprint(n)
}

// configuration returns the configuration of so many routes, each with a Service and an endpoint of its own. All
// endpoints are one server on loopback.
func (s shape) configuration(routes, port int) []byte {
	graph := translate.New(translate.Options{
		IngressClass: "kong", Backend: backends.Options{Addresses: addresses.Policy{AllowOwnHost: true}},
		Limits: limit.Limits{Namespace: limit.Cost{Entities: limit.Unlimited, Bytes: limit.Unlimited, Match: limit.Unlimited}},
	})
	changes := []unit.Change{{
		Key:    unit.Key{Kind: unit.IngressClass, Name: "kong"},
		Object: &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "kong"}, Spec: networkingv1.IngressClassSpec{Controller: "ingress-controllers.konghq.com/kong"}},
	}}
	for i := range routes {
		changes = append(changes, s.objects(i, int32(port))...) //nolint:gosec // a port
	}
	graph.Update(changes...)
	var entities []*kong.Entity
	for view := range graph.Units() {
		entities = append(entities, view.Entities...)
	}
	return kong.Declarative(kong.Sorted(entities))
}

// objects returns the objects of a route.
func (s shape) objects(i int, port int32) []unit.Change {
	meta := metav1.ObjectMeta{Namespace: "default", Name: routeName(i), Annotations: s.annotations}
	class, ready, name := "kong", true, "http"
	key := func(kind unit.Kind) unit.Key { return unit.Key{Kind: kind, Namespace: meta.Namespace, Name: meta.Name} }
	ingress := &networkingv1.Ingress{ObjectMeta: meta, Spec: networkingv1.IngressSpec{IngressClassName: &class, Rules: rules(meta.Name, s.path(i), meta.Name)}}
	ingress.Spec.Rules[0].Host = s.host(i)
	if strings.HasPrefix(s.path(i), "/~") {
		specific := networkingv1.PathTypeImplementationSpecific
		ingress.Spec.Rules[0].HTTP.Paths[0].PathType = &specific
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: meta.Namespace, Name: meta.Name},
		Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: name, Port: 80}}}}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: meta.Namespace, Name: meta.Name, Labels: map[string]string{discoveryv1.LabelServiceName: meta.Name}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &port}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"127.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}}},
	}
	return []unit.Change{{Key: key(unit.Ingress), Object: ingress}, {Key: key(unit.Service), Object: service}, {Key: key(unit.EndpointSlice), Object: slice}}
}
