// Package status tells the state of gateways: of one from inside its pod, through the socket of
// kube-sync, and of all from outside, through what the cluster knows.
//
// The cluster knows less: pods, the Lease, and Events. What it does not know is in Unknown, with the
// command that asks the gateway itself.
package status
