// Package explain says what would answer a request, and why no other route would.
//
// It evaluates the configuration that the translation made: the expressions and priorities of
// routes, the scopes of plugins, the targets of upstreams. Everything that it says about objects
// are verdicts, claims and fields of the graph. It does no IO, and it decides nothing itself.
//
// What depends on more than the configuration and the request, such as the health of endpoints, a
// counter or a credential, is not guessed: [Answer.Unknown] lists it with the reason.
//
// Glossary:
//
//	entrance  where requests arrive: the Service in front of Kong, or a Gateway's own address
//	near      a route that matches too and comes later, or that fails in a single condition
package explain
