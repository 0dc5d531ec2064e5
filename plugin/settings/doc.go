// Package settings reads the settings of an operator.
//
// [Table] has all settings. The value of a setting comes from the first of these sources that has it:
//
//  1. a flag on the command line: --ingress-class=kong
//  2. Kong's own settings: KONG_PLUGINSERVER_KUBE_SYNC_INGRESS_CLASS=kong. Kong
//     starts its plugin servers with an empty environment, so these are read from
//     the file in Kong's prefix that has all effective settings.
//  3. the environment: CONTROLLER_INGRESS_CLASS=kong
//  4. the default.
//
// Names and meanings are those of the Kong Ingress Controller where it has the same setting. An
// unknown or malformed setting is an error; no setting is ignored. A setting of the Kong Ingress
// Controller may stay if its value asks for what kube-sync does in any case.
package settings
