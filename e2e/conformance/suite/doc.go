// Package suite is the official conformance suite of Gateway API as one test binary, with the suite's own flags. It adds
// to the suite's report what that does not tell: the outcome of each test, and what features the tests and the profiles
// are made of.
//
// The module is separate from kube-sync's, which must not have what the suite depends on. It also provides the backend
// that the suite's manifests run. Package conformance builds both.
package suite
