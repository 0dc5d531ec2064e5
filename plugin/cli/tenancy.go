package cli

import (
	"errors"
	"flag"
	"strings"

	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/translate/tenancy"
)

// tenancyFlags adds the settings that say what the objects of a namespace may ask for.
func tenancyFlags(f *flag.FlagSet, o *tenancy.Options) {
	f.Func("tenancy", "what namespaces may ask of the gateway, `shared` or isolated (default shared)", func(value string) (err error) {
		o.Isolated, err = settings.ParseTenancy(value)
		return err
	})
	f.Func("isolated-plugins", "`PLUGINS` of KongPlugins beyond those for isolated gateways, separated by commas", func(value string) error {
		o.IsolatedPlugins = items(value)
		return nil
	})
	f.Func("allow-plugin-fields", "`VALUES` that KongPlugins may have, as file-log.path=/var/log/kong/, separated by commas", func(value string) (err error) {
		o.Fields, err = settings.ParsePluginFields(value)
		return err
	})
	f.Func("custom-entity-types", "`TYPES` that KongCustomEntities may have, separated by commas", func(value string) error {
		o.CustomEntityTypes = items(value)
		return nil
	})
	f.Func("consumer-plugins", "where the plugins of KongConsumers take effect, `namespace` or everywhere (default namespace)", func(value string) error {
		o.ConsumersEverywhere = value == "everywhere"
		if value != "namespace" && value != "everywhere" {
			return errors.New("want namespace or everywhere")
		}
		return nil
	})
	f.BoolVar(&o.AllowVaults, "allow-vaults", false, "let objects of all namespaces refer to all vaults and to the gateway's environment")
	f.BoolVar(&o.AllowLua, "allow-lua-plugins", false, "take plugins with Lua code in their configuration")
}

func items(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
