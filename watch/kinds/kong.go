package kinds

import (
	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"
	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	incubatorv1alpha1 "github.com/kong/kubernetes-configuration/api/incubator/v1alpha1"
	gatewayv1alpha2 "sigs.k8s.io/gateway-api/apis/v1alpha2"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// kongRouting are Kong's kinds for routes, classes and upstreams. Statuses are cached because
// the status writer compares with them.
var kongRouting = []Kind{
	{
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
	}, {
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

// kongPlugins are Kong's kinds for plugins, consumers and other entities.
var kongPlugins = []Kind{
	{
		Name:       unit.KongPlugin,
		Resource:   configurationv1.SchemeGroupVersion.WithResource("kongplugins"),
		Namespaced: true,
		Custom:     true,
		New:        created[configurationv1.KongPlugin](),
		Unread:     on(func(p *configurationv1.KongPlugin) { p.Status = configurationv1.KongPluginStatus{} }),
	}, {
		Name:     unit.KongClusterPlugin,
		Resource: configurationv1.SchemeGroupVersion.WithResource("kongclusterplugins"),
		Custom:   true,
		New:      created[configurationv1.KongClusterPlugin](),
		Unread:   on(func(p *configurationv1.KongClusterPlugin) { p.Status = configurationv1.KongClusterPluginStatus{} }),
	}, {
		Name:       unit.KongConsumer,
		Resource:   configurationv1.SchemeGroupVersion.WithResource("kongconsumers"),
		Namespaced: true,
		Custom:     true,
		New:        created[configurationv1.KongConsumer](),
		Unread:     on(func(c *configurationv1.KongConsumer) { c.Status = configurationv1.KongConsumerStatus{} }),
	}, {
		Name:       unit.KongConsumerGroup,
		Resource:   configurationv1beta1.SchemeGroupVersion.WithResource("kongconsumergroups"),
		Namespaced: true,
		Custom:     true,
		New:        created[configurationv1beta1.KongConsumerGroup](),
		Unread: on(func(g *configurationv1beta1.KongConsumerGroup) {
			g.Status = configurationv1beta1.KongConsumerGroupStatus{}
		}),
	}, {
		Name:     unit.KongVault,
		Resource: configurationv1alpha1.SchemeGroupVersion.WithResource("kongvaults"),
		Custom:   true,
		New:      created[configurationv1alpha1.KongVault](),
		Unread:   on(func(v *configurationv1alpha1.KongVault) { v.Status = configurationv1alpha1.KongVaultStatus{} }),
	}, {
		Name:       unit.KongCustomEntity,
		Resource:   configurationv1alpha1.SchemeGroupVersion.WithResource("kongcustomentities"),
		Namespaced: true,
		Custom:     true,
		New:        created[configurationv1alpha1.KongCustomEntity](),
		Unread: on(func(e *configurationv1alpha1.KongCustomEntity) {
			e.Status = configurationv1alpha1.KongCustomEntityStatus{}
		}),
	}, {
		Name:     unit.KongLicense,
		Resource: configurationv1alpha1.SchemeGroupVersion.WithResource("konglicenses"),
		Custom:   true,
		New:      created[configurationv1alpha1.KongLicense](),
		Strip:    on(func(l *configurationv1alpha1.KongLicense) { l.RawLicenseString = "" }),
		Unread:   on(func(l *configurationv1alpha1.KongLicense) { l.Status = configurationv1alpha1.KongLicenseStatus{} }),
	},
}
