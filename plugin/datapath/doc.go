// Package datapath is the relay: a reverse proxy on loopback for what no plugin of Kong
// does exactly. Only rules that ask for such a thing have their requests go through it;
// all others never notice whether it is there.
//
//	client ──▶ Kong: route, plugins, filters ──▶ relay: mirrors, tries, limits, TLS ──▶ endpoint
//
// A [Relay] has a table of rules, which plugin/gateway keeps in step with what Kong has: a
// rule is there before Kong is told of the route and until Kong has forgotten it. A
// request names its rule in the last element of the header Via, by a key that follows from
// a secret of this gateway's alone; the relay removes the element and leaves all else as
// Kong made it. Without a rule a request is answered 503.
//
// What is kept of bodies and the copies under way are bounded, together and for each
// namespace.
//
// Each idea has a file: the key, the table, the balancing of a rule's backends, the tries of
// one exchange, the body that several tries and copies read, mirrors, quotas, transports.
package datapath
