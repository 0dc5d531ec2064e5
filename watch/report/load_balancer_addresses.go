package report

import (
	"cmp"
	"net/netip"
	"slices"

	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// hasLoadBalancer reports whether objects of a kind have status.loadBalancer.
func hasLoadBalancer(kind unit.Kind) bool {
	return kind == unit.Ingress || kind == unit.TCPIngress || kind == unit.UDPIngress
}

// statusAddresses returns the addresses in status.loadBalancer of an object.
func statusAddresses(object unit.Object) []networkingv1.IngressLoadBalancerIngress {
	switch object := object.(type) {
	case *networkingv1.Ingress:
		return object.Status.LoadBalancer.Ingress
	case *configurationv1beta1.TCPIngress:
		return loadBalancerAddresses(object.Status.LoadBalancer)
	case *configurationv1beta1.UDPIngress:
		return loadBalancerAddresses(object.Status.LoadBalancer)
	}
	return nil
}

// loadBalancerAddresses returns the addresses of a load balancer, with their ports.
func loadBalancerAddresses(status corev1.LoadBalancerStatus) (addresses []networkingv1.IngressLoadBalancerIngress) {
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

// serviceAddresses returns the external addresses of a Service, sorted: those of its load
// balancer, else its external IPs, else its cluster IPs unless it waits for a load balancer.
func serviceAddresses(service *corev1.Service) (addresses []networkingv1.IngressLoadBalancerIngress) {
	addresses = loadBalancerAddresses(service.Status.LoadBalancer)
	others := service.Spec.ExternalIPs
	if len(others) == 0 && service.Spec.Type != corev1.ServiceTypeLoadBalancer {
		others = service.Spec.ClusterIPs
	}
	for _, address := range others {
		if len(service.Status.LoadBalancer.Ingress) == 0 && address != corev1.ClusterIPNone {
			addresses = append(addresses, ingressOf(address))
		}
	}
	sortAddresses(addresses)
	return addresses
}

// ingressOf returns the entry of status.loadBalancer.ingress for an IP address or a host name.
func ingressOf(address string) networkingv1.IngressLoadBalancerIngress {
	if _, err := netip.ParseAddr(address); err != nil {
		return networkingv1.IngressLoadBalancerIngress{Hostname: address}
	}
	return networkingv1.IngressLoadBalancerIngress{IP: address}
}

// without returns the addresses that are not ours.
func without(have, ours []networkingv1.IngressLoadBalancerIngress) []networkingv1.IngressLoadBalancerIngress {
	return slices.DeleteFunc(slices.Clone(have), func(h networkingv1.IngressLoadBalancerIngress) bool {
		return slices.ContainsFunc(ours, func(o networkingv1.IngressLoadBalancerIngress) bool {
			return o.IP == h.IP && o.Hostname == h.Hostname
		})
	})
}

// sameAddresses reports whether two lists hold the same addresses, in any order.
func sameAddresses(a, b []networkingv1.IngressLoadBalancerIngress) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	sortAddresses(a)
	sortAddresses(b)
	return equality.Semantic.DeepEqual(a, b)
}

func sortAddresses(addresses []networkingv1.IngressLoadBalancerIngress) {
	slices.SortFunc(addresses, func(a, b networkingv1.IngressLoadBalancerIngress) int {
		return cmp.Or(cmp.Compare(a.IP, b.IP), cmp.Compare(a.Hostname, b.Hostname))
	})
}
