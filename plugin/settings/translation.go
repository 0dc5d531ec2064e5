package settings

import (
	"flag"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/tenancy"
)

// Translation returns the options of the translation. relay is the address of the relay; its zero
// value stands for no relay.
func (s Settings) Translation(relay gatewayapi.Relay) translate.Options {
	return translate.Options{
		IngressClass: s.IngressClass,
		Limits:       s.Limits,
		LastResort:   s.LastResortNamespaces,
		Certificate:  certificate.Options{AllowWeak: s.WeakTLS},
		Tenancy: tenancy.Options{
			Isolated: s.Isolated, IsolatedPlugins: s.IsolatedPlugins, AllowLua: s.AllowLuaPlugins, Fields: s.AllowPluginFields,
			AllowVaults: s.AllowVaults, CustomEntityTypes: s.CustomEntityTypes, ConsumersEverywhere: s.ConsumersEverywhere,
		},
		Gateway: gatewayapi.Options{
			Controller: s.GatewayController, Gateway: s.GatewayToReconcile, Ports: assumedPorts(s), Listens: listens(s), Pool: pool(s), NamespacePorts: s.NamespaceGatewayPorts,
			Front: s.PublishService, FrontUDP: s.PublishServiceUDP, Relay: relay,
		},
		Backend: backend.Options{
			// Only the companion checks the addresses that names resolve to.
			AllowExternalName: s.AllowExternalName && !s.Unguarded,
			Addresses:         s.Addresses(),
			GatewayNamespace:  s.PodNamespace,
			Drain:             s.DrainSupport,
			ClusterDomain:     s.ClusterDomain,
		},
	}
}

// withoutGateway names the settings that affect the translation even without a gateway and a
// cluster. All of [limits] do, too.
var withoutGateway = []string{
	"INGRESS_CLASS", "GATEWAY_API_CONTROLLER_NAME", "GATEWAY_TO_RECONCILE", "CLUSTER_DOMAIN", "ENABLE_DRAIN_SUPPORT",
	"ALLOW_EXTERNAL_NAME", "ALLOW_LOOPBACK_BACKENDS", "DENIED_ADDRESSES", "ALLOWED_ADDRESSES", "LAST_RESORT_CERTIFICATE_NAMESPACES",
	"TENANCY", "ISOLATED_PLUGINS", "ALLOW_PLUGIN_FIELDS", "ALLOW_VAULTS", "CUSTOM_ENTITY_TYPES", "CONSUMER_PLUGINS", "ALLOW_LUA_PLUGINS",
	"LIMIT_NAMESPACE_GATEWAY_PORTS", "RELAY_BIND_ADDRESS",
}

// TranslationFlags adds a flag for each setting that affects the translation. The flags set the
// fields of s.
func TranslationFlags(set *flag.FlagSet, s *Settings) {
	rows := limits()
	for _, name := range withoutGateway {
		rows = append(rows, byName[name])
	}
	for _, setting := range rows {
		setting.flag(set, func(value string) error { return setting.set(s, value) })
	}
}
