package watch

import (
	"context"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"
	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	incubatorv1alpha1 "github.com/kong/kubernetes-configuration/api/incubator/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	gatewayv1alpha2 "sigs.k8s.io/gateway-api/apis/v1alpha2"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// UpstreamKinds are the kinds that say how Kong speaks to backends.
func UpstreamKinds() []Kind {
	return []Kind{
		{
			Name:       unit.ConfigMap,
			Resource:   corev1.SchemeGroupVersion.WithResource("configmaps"),
			Namespaced: true,
			New:        created[corev1.ConfigMap](),
			Fetch:      fetchConfigMap,
		}, {
			Name:       unit.KongUpstreamPolicy,
			Resource:   configurationv1beta1.SchemeGroupVersion.WithResource("kongupstreampolicies"),
			Namespaced: true,
			Custom:     true,
			New:        created[configurationv1beta1.KongUpstreamPolicy](),
			Unread:     on(func(p *configurationv1beta1.KongUpstreamPolicy) { p.Status = gatewayv1alpha2.PolicyStatus{} }),
		}, {
			Name:       unit.KongIngress,
			Resource:   configurationv1.SchemeGroupVersion.WithResource("kongingresses"),
			Namespaced: true,
			Custom:     true,
			New:        created[configurationv1.KongIngress](),
		},
	}
}

// IngressKinds are Kong's kinds beside Ingress.
func IngressKinds() []Kind {
	return []Kind{
		{
			Name:       unit.IngressClassParameters,
			Resource:   configurationv1alpha1.SchemeGroupVersion.WithResource("ingressclassparameterses"),
			Namespaced: true,
			Custom:     true,
			New:        created[configurationv1alpha1.IngressClassParameters](),
		}, {
			Name:       unit.KongServiceFacade,
			Resource:   incubatorv1alpha1.SchemeGroupVersion.WithResource("kongservicefacades"),
			Namespaced: true,
			Custom:     true,
			New:        created[incubatorv1alpha1.KongServiceFacade](),
			Unread: on(func(f *incubatorv1alpha1.KongServiceFacade) {
				f.Status = incubatorv1alpha1.KongServiceFacadeStatus{}
			}),
		}, {
			Name:       unit.TCPIngress,
			Resource:   configurationv1beta1.SchemeGroupVersion.WithResource("tcpingresses"),
			Namespaced: true,
			Custom:     true,
			New:        created[configurationv1beta1.TCPIngress](),
			Unread:     on(func(i *configurationv1beta1.TCPIngress) { i.Status = configurationv1beta1.TCPIngressStatus{} }),
		}, {
			Name:       unit.UDPIngress,
			Resource:   configurationv1beta1.SchemeGroupVersion.WithResource("udpingresses"),
			Namespaced: true,
			Custom:     true,
			New:        created[configurationv1beta1.UDPIngress](),
			Unread:     on(func(i *configurationv1beta1.UDPIngress) { i.Status = configurationv1beta1.UDPIngressStatus{} }),
		},
	}
}

func fetchConfigMap(ctx context.Context, client kubernetes.Interface, namespace, name string) (unit.Object, error) {
	return client.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
}
