package kinds

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Core returns the kinds of Kubernetes' own API groups.
func Core() []Kind { return slices.Clone(core) }

var core = []Kind{
	{
		Name:       unit.Ingress,
		Resource:   networkingv1.SchemeGroupVersion.WithResource("ingresses"),
		Namespaced: true,
		New:        created[networkingv1.Ingress](),
		// The status is cached because the status writer compares with it.
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
		// Helm's releases are many and large, and hold no certificate.
		Fields:  "type!=helm.sh/release.v1",
		Default: on(defaultSecret),
	}, {
		Name:       unit.ConfigMap,
		Resource:   corev1.SchemeGroupVersion.WithResource("configmaps"),
		Namespaced: true,
		New:        created[corev1.ConfigMap](),
		Fetch:      fetchConfigMap,
	},
}

func fetchSecret(ctx context.Context, client kubernetes.Interface, namespace, name string) (unit.Object, error) {
	return client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
}

func fetchConfigMap(ctx context.Context, client kubernetes.Interface, namespace, name string) (unit.Object, error) {
	return client.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
}
