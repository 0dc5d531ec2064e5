// Package backendtlspolicy translates BackendTLSPolicies: the CA certificates and names that the
// certificates of backends are verified by.
//
// A BackendTLSPolicy always needs the relay. Kong sends the request's Host header as the server name
// and verifies the certificate for it. The policy's hostname is another one unless the Host is
// rewritten to it, and Kong cannot verify other names or URIs.
package backendtlspolicy
