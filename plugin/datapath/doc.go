// Package datapath is the relay: a reverse proxy on loopback for what no plugin of Kong does exactly.
// Only the requests of rules that need it go through the relay.
//
//	client ──▶ Kong: route, plugins, filters ──▶ relay: mirrors, retries, limits, TLS ──▶ endpoint
//
// A [Relay] has a table of rules, which plugin/gateway keeps in step with Kong: a rule exists before
// Kong gets its route, and until Kong has removed the route. A request names its rule in the last
// element of the header Via, by a key that is made with a secret of this gateway. The relay removes
// the element and changes nothing else. A request without a rule is answered 503.
//
// The memory for bodies and the number of concurrent copies are limited, in total and for each
// namespace.
//
// Each task has a file: the key, the table, load balancing, the attempts of an exchange, the request
// body, mirrors, quotas, transports.
package datapath
