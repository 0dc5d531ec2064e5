// Package inspect tells people what the running gateway does: its state as plain data, and a
// read-only HTTP API on a Unix socket in Kong's prefix.
//
// A [Recorder] gets events from the agent's loop and keeps a bounded history. What needs the
// translation or what Kong holds is a question to the loop, which answers between two applies: see
// [Desk]. An [Inspector] joins both with what Kong says about its workers and endpoints.
//
// Nothing here has rules of its own: faults are the verdicts that the gateway reports, and routes are
// the entities that Kong holds. No answer has a secret: entities are reduced to names, addresses and
// matches, and no configuration of a plugin is shown.
//
// # Glossary
//
//   - Change: the objects that one apply, or several pieces of it, brought into effect.
//   - Written, seen, effective: when the API server stored an object, when kube-sync received it, and
//     when every worker of Kong used it.
//   - Catalog: the entities that Kong holds, related to each other and searchable.
package inspect
