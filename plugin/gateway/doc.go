// Package gateway applies a configuration to the local Kong.
//
// A [Gateway] takes the units of the translation and brings Kong to them through
// its Admin API, as one whole: what Kong has acknowledged is either the whole
// configuration that was sent or the one before it.
//
//   - An equal configuration is never sent: Kong's own hash of what it holds is
//     compared first.
//   - When Kong refuses something, the unit that it came from is quarantined at its
//     version: the entities of it that Kong acknowledged last stay in place if there
//     are any, else they are left out together with what hangs on them, and all the
//     rest is applied in the same call. A unit is tried again when it changes.
//   - Plugins that are new to Kong are asked about before a whole configuration is sent,
//     each configuration of one once: a fault in them costs a small question, and not a
//     load that fails. A delta needs no question: it is refused as soon as it is read.
//   - A refusal that names nothing is traced to a unit by asking Kong about parts of
//     the change, without applying them.
//
// The package does no IO but to the Admin API. A Gateway is for one goroutine.
package gateway
