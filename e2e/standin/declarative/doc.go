// Package declarative reads Kong's declarative configuration for the stand-in
// gateway. It decodes the configuration, checks it against the part of Kong's schemas
// that the stand-in serves, and rejects it with Kong's messages, in Kong's format.
//
// As in Kong, a configuration is accepted or rejected as a whole, and checked in two
// passes: first each entity, then names, ids and references. Only errors that Kong
// attributes to an entity are in [Refusal.Flattened]. Flattening loses broken
// references, in Kong as well.
package declarative
