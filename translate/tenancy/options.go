package tenancy

import (
	"net/netip"
	"slices"
)

// Options are the operator's settings. The zero value is shared tenancy without exceptions.
type Options struct {
	// Isolated limits KongPlugins to harmless plugins.
	Isolated bool
	// IsolatedPlugins are plugins that KongPlugins may use although Isolated is set.
	IsolatedPlugins []string
	// AllowLua permits Lua code in the configuration of all plugins.
	AllowLua bool
	// Fields are values that KongPlugins may have in addition to those permitted to every
	// namespace.
	Fields []FieldValue
	// AllowVaults permits references to all vaults and to the gateway's environment to all
	// namespaces.
	AllowVaults bool
	// ConsumersEverywhere makes the plugins of consumers take effect on routes of all
	// namespaces, unless Isolated is set.
	ConsumersEverywhere bool
	// CustomEntityTypes are types that KongCustomEntities may have in addition to those permitted
	// to every namespace.
	CustomEntityTypes []string
	// Denied reports whether KongPlugins must not name an address. Nil denies none.
	Denied func(netip.Addr) bool
}

// listed reports whether the operator permits a plugin in an isolated gateway by its name.
func (o Options) listed(plugin string) bool { return slices.Contains(o.IsolatedPlugins, plugin) }

// Everywhere reports whether the plugins of consumers take effect on routes of all namespaces.
func (o Options) Everywhere() bool { return o.ConsumersEverywhere && !o.Isolated }
