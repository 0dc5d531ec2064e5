// Package tenants tests on a real Kong what the objects of one namespace do to the requests
// and the configuration of another.
//
// Manifests go through the translation and the gateway's apply, as in the running program,
// into a Kong with two workers; requests decide. Without kong on PATH the tests are skipped
// and say so.
package tenants
