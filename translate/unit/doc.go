// Package unit is the engine of the translation.
//
// The translation of a cluster is cut into units: one for each source object (an Ingress, an
// HTTPRoute, ...) and one for each thing that several sources share (a backend, a certificate).
// What units do is their [Role]; it is defined by [Each], [Shared] or [SharedBy]. A unit's
// translation is a pure function of what it read through its [Reader]; the reader records every
// question, also those that found nothing. When an object changes, exactly the units that asked for
// it are translated again, each once: what a unit uses comes before the unit.
//
// A unit's result is a [Fragment]: Kong entities, claims to what several units may contest, and
// verdicts on source objects. With it comes a value of the role's type, which its users read, whole
// or by its parts. The configuration is the union of all fragments and of the claims that are held.
// A [Graph] holds the units; it does no IO and is not safe for concurrent use.
//
// The state of all is declared in graph.go, and what is done with it uses other files in one
// direction only: update.go, reader.go → translate.go → claim.go, contest.go, namespace.go, index.go
// → agenda.go → graph.go.
package unit
