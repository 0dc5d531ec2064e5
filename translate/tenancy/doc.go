// Package tenancy decides what the objects of one namespace may ask of a gateway that
// other namespaces share.
//
// Objects of the cluster (KongClusterPlugin, KongVault) are the operator's. Objects of a
// namespace are a tenant's: their plugins read no file, no environment variable and no
// credential of the gateway, use no shared memory but their own, run no code, and name no
// address of the gateway itself. Each refusal is an error that says the field, what is
// allowed, and the setting that permits more. No error quotes a value, which may be secret.
//
// Glossary:
//
//	shared    every bundled plugin is there for every namespace, within these limits
//	isolated  plugins that connect to other hosts, evaluate templates or share state are
//	          there only as KongClusterPlugins
//	look-up   a template that reads one value of the request, as $(headers.name)
package tenancy
