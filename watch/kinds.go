package watch

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// AllKinds are all kinds that the translation reads.
func AllKinds() []Kind {
	return slices.Concat(CoreKinds(), UpstreamKinds(), IngressKinds(), GatewayKinds(), PluginKinds())
}

// CoreKinds are the kinds of Kubernetes' own API groups that the translation reads.
func CoreKinds() []Kind {
	return []Kind{
		{
			Name:       unit.Ingress,
			Resource:   networkingv1.SchemeGroupVersion.WithResource("ingresses"),
			Namespaced: true,
			New:        created[networkingv1.Ingress](),
			// The status is cached for the status writer to compare with.
			Unread: on(func(i *networkingv1.Ingress) { i.Status = networkingv1.IngressStatus{} }),
		}, {
			Name:     unit.IngressClass,
			Resource: networkingv1.SchemeGroupVersion.WithResource("ingressclasses"),
			New:      created[networkingv1.IngressClass](),
		}, {
			Name:       unit.Service,
			Resource:   corev1.SchemeGroupVersion.WithResource("services"),
			Namespaced: true,
			New:        created[corev1.Service](),
			Strip:      on(stripService),
			Default:    on(defaultService),
		}, {
			Name:       unit.EndpointSlice,
			Resource:   discoveryv1.SchemeGroupVersion.WithResource("endpointslices"),
			Namespaced: true,
			New:        created[discoveryv1.EndpointSlice](),
			Strip:      on(stripEndpointSlice),
			Default:    on(defaultEndpointSlice),
		}, {
			Name:     unit.Namespace,
			Resource: corev1.SchemeGroupVersion.WithResource("namespaces"),
			New:      created[corev1.Namespace](),
			Strip:    on(stripNamespace),
		}, {
			Name:       unit.Secret,
			Resource:   corev1.SchemeGroupVersion.WithResource("secrets"),
			Namespaced: true,
			New:        created[corev1.Secret](),
			Fetch:      fetchSecret,
			// Releases of Helm are large, many, and never a certificate.
			Fields:  "type!=helm.sh/release.v1",
			Default: on(defaultSecret),
		},
	}
}

// bare keeps of the metadata what names the object and its age.
func bare(m metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:              m.Name,
		Namespace:         m.Namespace,
		UID:               m.UID,
		ResourceVersion:   m.ResourceVersion,
		CreationTimestamp: m.CreationTimestamp,
	}
}

// described is bare with the labels and annotations.
func described(m metav1.ObjectMeta) metav1.ObjectMeta {
	kept := bare(m)
	kept.Labels, kept.Annotations = m.Labels, m.Annotations
	return kept
}

func stripService(s *corev1.Service) {
	*s = corev1.Service{
		TypeMeta:   s.TypeMeta,
		ObjectMeta: described(s.ObjectMeta),
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

// strippedStatus keeps the addresses of a Service, which tell those of the gateway, and of a
// Gateway's own Service all that is in the Gateway's status.
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

func defaultService(s *corev1.Service) {
	if s.Spec.Type == "" {
		s.Spec.Type = corev1.ServiceTypeClusterIP
	}
	for i := range s.Spec.Ports {
		port := &s.Spec.Ports[i]
		if port.Protocol == "" {
			port.Protocol = corev1.ProtocolTCP
		}
		if port.TargetPort == (intstr.IntOrString{}) {
			port.TargetPort = intstr.FromInt32(port.Port)
		}
	}
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

func defaultEndpointSlice(s *discoveryv1.EndpointSlice) {
	for i := range s.Ports {
		port := &s.Ports[i]
		if port.Name == nil {
			port.Name = new(string)
		}
		if port.Protocol == nil {
			protocol := corev1.ProtocolTCP
			port.Protocol = &protocol
		}
	}
}

func stripNamespace(n *corev1.Namespace) {
	kept := bare(n.ObjectMeta)
	kept.Labels = n.Labels
	*n = corev1.Namespace{TypeMeta: n.TypeMeta, ObjectMeta: kept}
}

func fetchSecret(ctx context.Context, client kubernetes.Interface, namespace, name string) (unit.Object, error) {
	return client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
}

// defaultSecret also does what only a write to an API server does: stringData
// goes into data.
func defaultSecret(s *corev1.Secret) {
	if s.Type == "" {
		s.Type = corev1.SecretTypeOpaque
	}
	if len(s.StringData) > 0 && s.Data == nil {
		s.Data = map[string][]byte{}
	}
	for name, value := range s.StringData {
		s.Data[name] = []byte(value)
	}
	s.StringData = nil
}
