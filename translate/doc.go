// Package translate turns the objects of a cluster into Kong's configuration, and into verdicts
// on what could not take effect. It is a pure function of these objects and does no IO: the
// gateway, the command line, the tests and the benchmarks all call it.
//
// Glossary:
//
//	unit      one source object, or one thing that several share, with its translation
//	role      what a unit makes, such as "ingress" or "backend"; the type of its value
//	fragment  a unit's result: entities, claims, verdicts and a status
//	entity    one object of Kong's configuration: a route, a service, a plugin, ...
//	claim     a unit's request for something that exists once; the oldest object wins
//	slot      what a claim asks for: a server name, a host, a place among routes
//	family    the slots of one sort, with one type of key
//	index     finds objects by a key, and translates its readers again when it changes
//	verdict   a finding about an object: its field, a reason, a message
//	model     the types of package route, between all sources and Kong's entities
package translate
