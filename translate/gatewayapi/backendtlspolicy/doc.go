// Package backendtlspolicy translates BackendTLSPolicies: whether the certificates of backends are
// verified, by what, and for which names.
//
// A BackendTLSPolicy always needs the relay. Kong asks a backend for the name that the request's
// Host header has, and verifies by that: it is the policy's host name only where the Host is
// rewritten to it, and never another name or a URI.
package backendtlspolicy
