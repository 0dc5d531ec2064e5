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
//   - A large change is sent in pieces, each of which is a whole configuration, and in which
//     namespaces take turns: the change of one does not wait for all that another has. What
//     changes meanwhile is in the next piece. Pieces of a namespace that alone has something to
//     send are as large as there is time for. A namespace over whose object a worker ended or
//     hung gets pieces of its own, after those of others.
//   - Plugins that are new to Kong are asked about before a whole configuration is sent,
//     each configuration of one once: a fault in them costs a small question, and not a
//     load that fails. A delta needs no question: it is refused as soon as it is read.
//   - A refusal that names nothing is traced to a unit by asking Kong about parts of
//     the change, without applying them.
//   - A status 500, a lost connection and a worker that hangs accuse what was sent. Kong is
//     sent parts of a delta, or asked about parts of a whole configuration, until the unit is
//     known; it is held like one that is refused, and all the rest is applied. A worker that
//     hangs is ended. Nothing of it is sent again before it changes, but for a unit over which
//     a worker ended or hung, or that got no answer: that is tried alone again, after ten
//     seconds and then after twice as long each time, for 21 minutes. Kong may have ended, or
//     had no time, for another cause. One such trial comes between other changes, and no
//     more.
//   - What was being sent when a worker ended is noted in a [Ledger], as kube-sync may end
//     with that worker.
//   - What does not fit into Kong is left out, the largest of the newest first.
//
// The package does no IO but to the Admin API, to the ledger's file and to the workers that
// hang. A Gateway is for one goroutine.
package gateway
