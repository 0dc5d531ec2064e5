// Package plugin translates KongPlugins and KongClusterPlugins.
//
// Each is a unit of its own that works out the plugin's configuration. The plugin's
// entities are in the units of what it is attached to, which ask by [Attached] or
// [Named]: so a route and its plugins come and go together, and Kong's refusal of a
// plugin is a matter of the route. A plugin that cannot be had closes what it is for:
// whoever asks for a plugin may rely on it for protection.
//
// A plugin that both a consumer and a route or Service name is for that consumer on
// that route or Service alone.
package plugin
