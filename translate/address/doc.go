// Package address decides which addresses the gateway may connect to for its tenants: for
// backends, and for plugins that open connections.
//
// A [Policy] denies addresses of the gateway's own host and link, of cloud metadata
// services, of the Kubernetes API server, and those that the operator names. The same
// policy is enforced in three places:
//
//   - in the translation, for addresses that objects contain. The endpoint is left out and
//     its object gets a verdict;
//   - in Kong's workers, by egress.lua and addresses.lua of the plugin kube-sync-delta, for
//     resolved names and for the connections of plugins. A test keeps the list in Lua equal
//     to the one here;
//   - in the relay, when it connects.
//
// An IPv6 address that embeds an IPv4 address, such as a NAT64 address, is denied if either of
// the two is.
package address
