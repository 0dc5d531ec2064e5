// Package declarative reads Kong's declarative configuration for the stand-in
// gateway: it decodes it, checks it against the part of Kong's schemas that the
// stand-in serves, and refuses it in Kong's words and shape.
//
// As in Kong a configuration is taken whole or not at all, and its checks come in
// two passes: entities by themselves first, then names, ids and references. Only
// errors that Kong attributes to an entity appear in [Refusal.Flattened]; a broken
// reference is lost by flattening, in Kong as well.
package declarative
