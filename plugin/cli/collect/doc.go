// Package collect makes a bundle for a bug report: versions, doctor's report, the objects that the
// gateway reads, the configuration that they become, the gateway's pods, Events and logs.
//
// There is no secret in a bundle, three times over. Secrets and ConfigMaps have only the names of
// their keys. Of other objects and of Kong's entities, every string that may be secret is hidden: in
// the configuration of plugins, vaults and custom entities, in the values of headers, in annotations
// and in the environment of pods. And whatever was hidden is also removed from the rest of the
// bundle, such as from logs, in all usual encodings.
package collect
