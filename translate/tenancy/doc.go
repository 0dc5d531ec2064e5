// Package tenancy decides what the objects of one namespace may ask of a gateway that it shares
// with other namespaces.
//
// Cluster-scoped objects (KongClusterPlugin, KongVault) belong to the operator. Namespaced
// objects belong to a tenant: their plugins must not read files, environment variables or
// credentials of the gateway, use shared memory other than their own, run code, or name an
// address of the gateway itself. Each refusal is an error that names the field, what is allowed,
// and the setting that permits more. Errors never quote a value, which may be secret.
//
// Glossary:
//
//	shared    every namespace may use every bundled plugin, within these limits
//	isolated  plugins that connect to other hosts, evaluate templates or share state are
//	          available only as KongClusterPlugins
//	look-up   a template that reads one value of the request, such as $(headers.name)
package tenancy
