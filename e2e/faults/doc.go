// Package faults holds manifests with one fault each, as people report them, and the command that is
// to name it.
//
// Each file of testdata is a fault. Its title is the first line; a command follows, what its output
// must say, and the manifests. The comment "here" marks the line that the output must name. The
// manifests of base.yaml are valid and belong to all.
package faults
