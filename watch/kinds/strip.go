package kinds

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/owned"
)

// bare keeps the metadata that identifies an object, its creation time, and the time of its last write.
func bare(m metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:              m.Name,
		Namespace:         m.Namespace,
		UID:               m.UID,
		ResourceVersion:   m.ResourceVersion,
		CreationTimestamp: m.CreationTimestamp,
		ManagedFields:     m.ManagedFields,
	}
}

// labeled is [bare] with labels and annotations.
func labeled(m metav1.ObjectMeta) metav1.ObjectMeta {
	kept := bare(m)
	kept.Labels, kept.Annotations = m.Labels, m.Annotations
	return kept
}

func stripService(s *corev1.Service) {
	*s = corev1.Service{
		TypeMeta:   s.TypeMeta,
		ObjectMeta: labeled(s.ObjectMeta),
		Spec: corev1.ServiceSpec{
			Type:         s.Spec.Type,
			Ports:        s.Spec.Ports,
			ClusterIP:    s.Spec.ClusterIP,
			ClusterIPs:   s.Spec.ClusterIPs,
			ExternalIPs:  s.Spec.ExternalIPs,
			ExternalName: s.Spec.ExternalName,
		},
		Status: strippedStatus(s),
	}
}

// strippedStatus keeps the IP addresses of a load balancer, which may be the gateway's own. A
// Service that a Gateway owns keeps the whole load balancer, for the status of the Gateway.
func strippedStatus(s *corev1.Service) (kept corev1.ServiceStatus) {
	if owned.Is(s) {
		kept.LoadBalancer = s.Status.LoadBalancer
		return kept
	}
	for _, ingress := range s.Status.LoadBalancer.Ingress {
		if ingress.IP != "" {
			kept.LoadBalancer.Ingress = append(kept.LoadBalancer.Ingress, corev1.LoadBalancerIngress{IP: ingress.IP})
		}
	}
	return kept
}

func stripEndpointSlice(s *discoveryv1.EndpointSlice) {
	kept := discoveryv1.EndpointSlice{
		TypeMeta:    s.TypeMeta,
		ObjectMeta:  bare(s.ObjectMeta),
		AddressType: s.AddressType,
		Ports:       s.Ports,
		Endpoints:   s.Endpoints,
	}
	if owned.Is(s) {
		kept.Labels = s.Labels
	} else if service, ok := s.Labels[discoveryv1.LabelServiceName]; ok {
		kept.Labels = map[string]string{discoveryv1.LabelServiceName: service}
	}
	for i, e := range kept.Endpoints {
		kept.Endpoints[i] = discoveryv1.Endpoint{Addresses: e.Addresses, Conditions: e.Conditions}
	}
	*s = kept
}

func stripNamespace(n *corev1.Namespace) {
	kept := bare(n.ObjectMeta)
	kept.Labels = n.Labels
	*n = corev1.Namespace{TypeMeta: n.TypeMeta, ObjectMeta: kept}
}
