// Package lab gives end-to-end tests a cluster of their own: a real Kubernetes control plane, without containers and
// without a way out to any network.
//
// A test package hands its TestMain to Main. Main runs the test binary again in new network, process and mount
// namespaces (and a user namespace, unless it is root), so that
//
//   - every address and port is free, and several test packages run side by side;
//   - no packet leaves: there is no route but to PodCIDR, on a bridge, and to GatewayCIDR and LoadBalancerCIDR, all of
//     whose addresses are local and can be listened on without being set up;
//   - nothing stays behind: whatever the tests have started ends with the test binary, however that ends.
//
// Before, Main builds the programs that tests need. The control plane takes minutes of processor time, once: it is kept
// in the user's cache directory, under kube-sync, until package controlplane or the Go version changes. `go test` kills
// a test binary a minute after its timeout; on a slow machine build first: go test -timeout 60m -run '^$' ./e2e/lab.
//
// Shared gives the cluster of the test package, to which each test brings a namespace of its own; StartControlPlane
// gives one that a test may break.
//
// With KUBE_SYNC_E2E_TARGET=kind the cluster is an existing one, of which nothing is needed but a kubeconfig, named by
// KUBECONFIG: tests run in place, nothing is built, and what takes a control plane apart is skipped.
//
// On a machine which refuses namespaces each test that asks for a cluster is skipped, with the reason, and a line at
// the end says so. The environment variable KUBE_SYNC_E2E can say otherwise: "required" makes that an error, "off"
// skips the tests in any case. KUBE_SYNC_E2E_KEEP=1 keeps the directory with logs and data.
package lab
