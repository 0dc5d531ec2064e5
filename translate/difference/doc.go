// Package difference compares two configurations. It finds the entities that differ, and says in
// sentences what that means for requests. It is pure, and it has no rules of its own: it compares
// what translations made.
//
//	before := difference.StateOf(graph)
//	graph.Update(changes...)
//	found := difference.Between(before, difference.StateOf(graph))
//
// Every entity that differs is in the list of entities and is covered by a sentence. Sentences name
// objects, hosts, paths and fields, and never the values of fields of plugins, credentials or
// certificates. The list of entities has both versions as Kong gets them, with secrets: it is up to
// the caller to redact them.
//
// Words of this package:
//
//   - place: a host and a path, as people write them
//   - owner: the object that a route is made of
package difference
