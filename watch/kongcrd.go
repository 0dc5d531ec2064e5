package watch

import (
	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"
	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// PluginKinds are Kong's kinds for plugins, consumers and what else an administrator of
// Kong has. Their statuses are cached for the status writer to compare with.
func PluginKinds() []Kind {
	return []Kind{
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
}
