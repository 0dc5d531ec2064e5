// Package gateway applies a configuration to the local Kong.
//
// A [Gateway] sends the units of the translation to Kong's Admin API. Kong always holds a whole
// configuration: the one that was sent last, or the one before it.
//
//   - A configuration that Kong already holds is not sent again. Kong's own hash decides.
//   - When Kong refuses an entity, the unit that it came from is quarantined at its version. The
//     entities that Kong last acknowledged of the unit stay. If there are none, the unit is left out,
//     together with what refers to it. The rest is applied in the same call.
//   - A large change is sent in pieces, each of which leads to a whole configuration. Namespaces take
//     turns, so that a small change does not wait for a large one. Changes that arrive meanwhile are in
//     the next piece. Pieces grow while only one namespace has something to send.
//   - Before a full load, Kong is asked about plugins that are new to it, once for each configuration: a
//     fault in them then costs a small question and not a failed load. A delta needs no question.
//   - When a refusal names no entity, Kong is asked about parts of the change until the unit is known.
//   - A status 500, a lost connection and a worker that hangs are attributed to what was sent. The
//     gateway bisects it: it sends parts of a delta, or asks about parts of a whole configuration. The
//     unit that it finds is quarantined until it changes. A worker that hangs is killed.
//   - A unit over which a worker crashed or hung, or that got no answer, is sent again alone after ten
//     seconds, and after twice as long each time, for 21 minutes: the cause may have been another one.
//     Its namespace is sent separately from others for ten minutes.
//   - Units that are being sent are noted in a [Journal], as kube-sync may end with the worker.
//   - What does not fit into Kong is left out: the largest and newest units of the largest namespace.
//
// # Glossary
//
//   - Suspect: a unit that was being sent when a worker crashed or hung, before the cause is known.
//   - Quarantined: a unit at the version that Kong refused or that was found to be the cause.
//   - Hold: a quarantined unit or a suspect, whose present version is not sent.
//   - Unanswered: a request that Kong neither accepted nor refused.
//   - Part: the entities of one unit in a configuration.
//
// The package does no IO except to the Admin API, the journal's file and the workers that hang. A
// Gateway is for one goroutine.
package gateway
