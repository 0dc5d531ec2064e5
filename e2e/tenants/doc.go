// Package tenants tests on a real Kong how the objects of one namespace affect the requests and
// the configuration of another one.
//
// Manifests are translated and applied, as in the running program, to a Kong with two workers.
// Then the tests send requests. Without kong on PATH they are skipped.
package tenants
