// Package cli is kube-sync as a person runs it: verbs that check and translate manifests
// without a cluster and without Kong, with the functions that the gateway uses.
package cli
