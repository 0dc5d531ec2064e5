// Package translate turns the objects of a cluster into Kong's configuration, and into verdicts
// on what could not take effect. It is a pure function of these objects and does no IO: the
// gateway, the command line, the tests and the benchmarks all call it.
//
// Glossary:
//
//	unit      the translation of one source object, or of one thing that several share
//	role      what a unit makes, such as "ingress" or "backend"; fixes the type of its value
//	fragment  a unit's result: entities, claims, verdicts and a status
//	entity    one object of Kong's configuration: a route, a service, a plugin, ...
//	claim     a unit's request for something that exists once; the oldest object wins
//	slot      what a claim asks for: a server name, a host, a place among routes
//	family    all slots of one sort; their keys have the same type
//	index     finds objects by a key; when it changes, the units that read it are translated again
//	verdict   a finding about an object: its field, a reason, a message
//	model     the types of package route: every source becomes these, and these become entities
package translate
