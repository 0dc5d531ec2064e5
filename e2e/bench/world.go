package bench

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kube-sync/kube-sync/e2e/lab"
)

// writers is the number of objects that are created at once. More would not make the API server faster.
const writers = 32

// world has the objects in the cluster.
type world struct {
	cp        *lab.ControlPlane
	api       kubernetes.Interface
	namespace string
	routes    int // so many are there
}

func newWorld(t testing.TB) *world {
	t.Helper()
	cp := lab.StartControlPlane(t)
	cp.MustApply(t, "", ingressClass)
	config := rest.CopyConfig(cp.Config)
	config.ContentType = runtime.ContentTypeProtobuf
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &world{cp: cp, api: api, namespace: cp.Namespace(t)}
}

const ingressClass = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: kong}
spec: {controller: ingress-controllers.konghq.com/kong}
`

func routeName(i int) string { return fmt.Sprintf("route-%d", i) }

func host(name string) string { return name + ".bench" }

// grow creates more routes, each with a Service and endpoints of its own.
func (w *world) grow(ctx context.Context, to int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for i := w.routes; i < to; i++ {
		group.Go(func() error {
			var endpoints []netip.Addr
			for j := range perRoute {
				endpoints = append(endpoints, endpoint(i, j))
			}
			if err := w.service(ctx, routeName(i), endpoints...); err != nil {
				return err
			}
			return w.ingress(ctx, routeName(i), "/", routeName(i))
		})
	}
	w.routes = max(w.routes, to)
	return group.Wait()
}

// service creates a Service with endpoints. It is headless, because each Service with an address makes the next one more
// expensive for the API server.
func (w *world) service(ctx context.Context, name string, endpoints ...netip.Addr) error {
	_, err := w.api.CoreV1().Services(w.namespace).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("make Service %s: %w", name, err)
	}
	port, portName := int32(backendPort), "http"
	_, err = w.api.DiscoveryV1().EndpointSlices(w.namespace).Create(ctx, &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: name}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &portName, Port: &port}},
		Endpoints:   ready(endpoints),
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("make EndpointSlice %s: %w", name, err)
	}
	return nil
}

func ready(addresses []netip.Addr) []discoveryv1.Endpoint {
	yes := true
	var endpoints []discoveryv1.Endpoint
	for _, a := range addresses {
		endpoints = append(endpoints, discoveryv1.Endpoint{
			Addresses: []string{a.String()}, Conditions: discoveryv1.EndpointConditions{Ready: &yes},
		})
	}
	return endpoints
}

// endpoints replaces the endpoints of a Service.
func (w *world) endpoints(ctx context.Context, name string, addresses ...netip.Addr) error {
	slices := w.api.DiscoveryV1().EndpointSlices(w.namespace)
	patch := merge(map[string]any{"endpoints": ready(addresses)})
	if _, err := slices.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("change EndpointSlice %s: %w", name, err)
	}
	return nil
}

// ingress creates an Ingress whose host is derived from its name.
func (w *world) ingress(ctx context.Context, name, path, service string) error {
	class := "kong"
	_, err := w.api.NetworkingV1().Ingresses(w.namespace).Create(ctx, &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       networkingv1.IngressSpec{IngressClassName: &class, Rules: rules(name, path, service)},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("make Ingress %s: %w", name, err)
	}
	return nil
}

func rules(name, path, service string) []networkingv1.IngressRule {
	prefix := networkingv1.PathTypePrefix
	return []networkingv1.IngressRule{{
		Host: host(name),
		IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
			Paths: []networkingv1.HTTPIngressPath{{
				Path: path, PathType: &prefix,
				Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
					Name: service, Port: networkingv1.ServiceBackendPort{Number: 80},
				}},
			}},
		}},
	}}
}

func (w *world) changeIngress(ctx context.Context, name string, spec map[string]any) error {
	patch := merge(map[string]any{"spec": spec})
	_, err := w.api.NetworkingV1().Ingresses(w.namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("change Ingress %s: %w", name, err)
	}
	return nil
}

func (w *world) deleteIngress(ctx context.Context, name string) error {
	if err := w.api.NetworkingV1().Ingresses(w.namespace).Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("delete Ingress %s: %w", name, err)
	}
	return nil
}

// uncertify removes the certificates of routes that may have got one.
func (w *world) uncertify(ctx context.Context) error {
	secrets := w.api.CoreV1().Secrets(w.namespace)
	list, err := secrets.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list Secrets: %w", err)
	}
	for _, secret := range list.Items {
		route, ours := strings.CutSuffix(secret.Name, secretSuffix)
		if !ours {
			continue
		}
		if err := w.changeIngress(ctx, route, map[string]any{"tls": nil}); err != nil {
			return err
		}
		if err := secrets.Delete(ctx, secret.Name, metav1.DeleteOptions{}); err != nil {
			return fmt.Errorf("delete Secret %s: %w", secret.Name, err)
		}
	}
	return nil
}
