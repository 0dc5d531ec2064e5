package lab

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"k8s.io/client-go/rest"
)

const (
	// targetVariable says where the tests run. If it is not set, they run in a cluster of their own.
	targetVariable = "KUBE_SYNC_E2E_TARGET"
	targetKind     = "kind"
)

// errExternal is returned when a component of an existing cluster is to be started or stopped.
var errExternal = errors.New("tests do not start or stop the components of an existing cluster")

// External reports whether the tests run against an existing cluster, which the variable KUBECONFIG names. It may be on
// another machine.
func External() bool { return os.Getenv(targetVariable) == targetKind }

// checkTarget returns an error if the target is unknown.
func checkTarget() error {
	if target := os.Getenv(targetVariable); target != "" && target != targetKind {
		return fmt.Errorf("%s=%s is unknown: it has to be %s, or not set", targetVariable, target, targetKind)
	}
	return nil
}

// runExternal runs the tests in place. They need neither namespaces nor programs.
func runExternal(m *testing.M) int {
	if os.Getenv("KUBE_SYNC_E2E") == "off" {
		return skip(m, "KUBE_SYNC_E2E=off")
	}
	defer closeShared()
	return m.Run()
}

// connectExternal uses no other kubeconfig than the one that KUBECONFIG names. A user's default kubeconfig may be for a
// cluster in which no tests should run.
func connectExternal() (*ControlPlane, error) {
	cp := &ControlPlane{Kubeconfig: os.Getenv("KUBECONFIG")}
	if cp.Kubeconfig == "" {
		return nil, fmt.Errorf("%s=%s needs KUBECONFIG, the kubeconfig of the cluster", targetVariable, targetKind)
	}
	if err := cp.connect(); err != nil {
		return nil, err
	}
	// The credentials of pods have the certificate itself. Here it may be in a file of its own.
	if err := rest.LoadTLSFiles(cp.Config); err != nil {
		return nil, fmt.Errorf("read the kubeconfig's certificates: %w", err)
	}
	return cp, nil
}

// external reports whether the cluster existed before the tests.
func (cp *ControlPlane) external() bool { return cp.process == nil }

var atEnd []func()

// AtEnd makes Main call a function after the last test, before it ends the shared cluster.
func AtEnd(f func()) { atEnd = append(atEnd, f) }

func callAtEnd() {
	for _, f := range slices.Backward(atEnd) {
		f()
	}
}
