// Package cli is the command line of kube-sync. It checks and translates manifests without a cluster
// and without Kong, with the functions that the gateway uses.
package cli
