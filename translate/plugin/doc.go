// Package plugin translates KongPlugins and KongClusterPlugins.
//
// Each is a unit with the plugin's configuration. The plugin's entities belong to the units of the
// objects that it is attached to, which use [Attached] or [Named]. A route and its plugins are thus
// added and removed together, and if Kong refuses a plugin, it refuses the route. If a plugin is
// unavailable, the requests that it applies to are refused, because it may be there for protection.
//
// A plugin that is named by a consumer and by a route or Service applies to that consumer on that
// route or Service only.
package plugin
