// Package kinds is the table of the kinds of objects that kube-sync reads.
//
// A [Kind] says how objects of a kind are watched, which of their fields are cached, which of
// those the translation reads, and which defaults a manifest lacks. A new kind is a row in
// the table of its API group: core.go, gateway_api.go or kong.go. Rows are in the order in which
// [All] lists them.
//
// Custom kinds are those that a CustomResourceDefinition defines. A cluster may lack the
// definition, or serve another version of it, so they also say which versions can be read.
package kinds
