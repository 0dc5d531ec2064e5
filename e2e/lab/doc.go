// Package lab gives end-to-end tests their own cluster: a real Kubernetes control plane, without containers and without
// access to any network.
//
// A test package hands its TestMain to Main. Main runs the test binary again in new network, process and mount
// namespaces (and a user namespace, unless it is root), so that
//
//   - every address and port is free, and several test packages run side by side;
//   - no packet leaves: the only routes are to PodCIDR, on a bridge, and to GatewayCIDR and LoadBalancerCIDR, all of
//     whose addresses are local and can be listened on without setup;
//   - nothing is left behind: all processes of the tests end with the test binary.
//
// First, Main builds the programs that tests need. The control plane takes minutes of processor time, once: it stays in
// the user's cache directory, under kube-sync, until package controlplane or the Go version changes. `go test` kills
// a test binary a minute after its timeout; on a slow machine build first: go test -timeout 60m -run '^$' ./e2e/lab.
//
// Shared returns the cluster of the test package, in which each test has its own namespace. StartControlPlane returns one
// that a test may break.
//
// With KUBE_SYNC_E2E_TARGET=kind the tests use an existing cluster, whose kubeconfig KUBECONFIG names. They run in place,
// nothing is built, and tests that break a control plane are skipped.
//
// On a machine that permits no namespaces, each test that needs a cluster is skipped with the reason, and a line at the
// end says so. KUBE_SYNC_E2E=required makes that an error, KUBE_SYNC_E2E=off skips the tests in any case. KUBE_SYNC_E2E_KEEP=1 keeps the directory with logs and data.
package lab
