package watch

import (
	"context"
	"encoding/json"

	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// isAddressed tells the kinds whose statuses have a place for the gateway's addresses,
// status.loadBalancer.ingress.
func isAddressed(kind unit.Kind) bool {
	return kind == unit.Ingress || kind == unit.TCPIngress || kind == unit.UDPIngress
}

// addressesIn are those in an object's status.
func addressesIn(object unit.Object) []networkingv1.IngressLoadBalancerIngress {
	switch object := object.(type) {
	case *networkingv1.Ingress:
		return object.Status.LoadBalancer.Ingress
	case *configurationv1beta1.TCPIngress:
		return balancers(object.Status.LoadBalancer)
	case *configurationv1beta1.UDPIngress:
		return balancers(object.Status.LoadBalancer)
	}
	return nil
}

// balancers are the addresses of a load balancer, with their ports.
func balancers(status corev1.LoadBalancerStatus) (addresses []networkingv1.IngressLoadBalancerIngress) {
	for _, ingress := range status.Ingress {
		address := networkingv1.IngressLoadBalancerIngress{IP: ingress.IP, Hostname: ingress.Hostname}
		for _, port := range ingress.Ports {
			address.Ports = append(address.Ports, networkingv1.IngressPortStatus{
				Port: port.Port, Protocol: port.Protocol, Error: port.Error})
		}
		addresses = append(addresses, address)
	}
	return addresses
}

// patchStatus merges into an object's status, on the condition that the object has the
// version. Definitions of custom kinds need no client of their own.
func (c *Cluster) patchStatus(ctx context.Context, key unit.Key, version string, status any) error {
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": version},
		"status":   status,
	})
	if err != nil {
		return err
	}
	options := metav1.PatchOptions{FieldManager: "kube-sync"}
	if key.Kind == unit.Ingress {
		_, err = c.clients.core.NetworkingV1().Ingresses(key.Namespace).
			Patch(ctx, key.Name, types.MergePatchType, body, options, "status")
		return err
	}
	_, err = c.clients.dynamic.Resource(c.resource(key.Kind)).Namespace(key.Namespace).
		Patch(ctx, key.Name, types.MergePatchType, body, options, "status")
	return err
}
