// Package unit is the engine of the translation.
//
// The translation of a cluster is cut into units: one for each source object
// (an Ingress, an HTTPRoute, ...) and one for each thing that several sources
// share (a backend, a certificate). A unit's translation is a pure function of
// what it read through its [Reader]; the reader records every question, also
// those that found nothing. When an object changes, exactly the units that
// asked for it are translated again.
//
// A unit's result is a [Fragment]: Kong entities, claims to what several units
// may contest, a value that its users read, and verdicts on source objects. The
// configuration is the union of all fragments and of the claims that are held.
// A [Graph] holds the units; it does no IO and is not safe for concurrent use.
package unit
