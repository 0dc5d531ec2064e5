// Package watch delivers the state of a cluster as batches of changes.
//
// A [Source] is either an API server, which package cluster watches through informers, or
// files, which package manifest watches. Both put changes into a [Queue], which coalesces
// them: a busy consumer finds each object once in its next batch, in its newest state.
//
// Package report writes statuses, Events and owned Services back, or logs what it cannot
// write. Package kinds is the table of the kinds that are read, and package schema holds the
// definitions of the custom ones.
package watch
