// Package settings reads what an operator may set.
//
// There is one table of settings, [Table]. A value comes from, first to last:
//
//  1. a flag on the command line: --ingress-class=kong
//  2. Kong's own settings: KONG_PLUGINSERVER_KUBE_SYNC_INGRESS_CLASS=kong. Kong
//     starts its plugin servers with an empty environment, so these are read from
//     the file in Kong's prefix that has all settings in effect.
//  3. the environment: CONTROLLER_INGRESS_CLASS=kong
//  4. the default.
//
// Names and meanings are those of the Kong Ingress Controller where it has the same.
// What is unknown, malformed or without meaning here is an error that says so: a
// setting is never ignored. Of the Kong Ingress Controller's, one that asks for what is so
// in any case may stay.
package settings
