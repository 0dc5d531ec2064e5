// Package unit is the engine of the translation.
//
// A cluster is translated in units: one for each source object (an Ingress, an HTTPRoute, ...)
// and one for each thing that several sources share (a backend, a certificate). The [Role] of a
// unit is what it makes; [Each], [Shared] and [SharedBy] define roles. A unit's translation is a
// pure function of what it read through its [Reader], which records every question, including
// those that found nothing. When an object changes, exactly the units that asked for it are
// translated again, each once, after the units that they use.
//
// A unit's result is a [Fragment]: Kong entities, claims to what several units may want, and
// verdicts on source objects. Its users read its value, which is of the role's type, as a whole
// or in parts. The configuration is the union of all fragments and of the entities of the claims
// that win. A [Graph] holds the units; it does no IO and is not safe for concurrent use.
//
// The state is declared in graph.go, and files use each other in one direction only: update.go,
// reader.go → translate.go → claim.go, contest.go,
// quota.go, namespace_limit.go, index.go → agenda.go → graph.go.
package unit
