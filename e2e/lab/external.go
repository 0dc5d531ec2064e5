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
	// targetVariable says where the tests run; where it is not set, in a cluster of their own.
	targetVariable = "KUBE_SYNC_E2E_TARGET"
	targetKind     = "kind"
)

// errExternal is what the caller of an existing cluster's components gets.
var errExternal = errors.New("the components of an existing cluster are not the tests' to stop")

// External tells whether the tests run against an existing cluster, which the variable KUBECONFIG names. Nothing of it
// has to be on this machine.
func External() bool { return os.Getenv(targetVariable) == targetKind }

// checkTarget refuses a target that there is not, rather than run the tests somewhere else.
func checkTarget() error {
	if target := os.Getenv(targetVariable); target != "" && target != targetKind {
		return fmt.Errorf("%s=%s is not known: it is %s, or not set", targetVariable, target, targetKind)
	}
	return nil
}

// runExternal runs the tests in place: they need no namespaces, and no programs either.
func runExternal(m *testing.M) int {
	if os.Getenv("KUBE_SYNC_E2E") == "off" {
		return skip(m, "KUBE_SYNC_E2E=off")
	}
	defer closeShared()
	return m.Run()
}

// connectExternal takes no other kubeconfig than the one that KUBECONFIG names: a user's default one may well be that
// of a cluster that is no place for tests.
func connectExternal() (*ControlPlane, error) {
	cp := &ControlPlane{Kubeconfig: os.Getenv("KUBECONFIG")}
	if cp.Kubeconfig == "" {
		return nil, fmt.Errorf("%s=%s needs KUBECONFIG, the kubeconfig of the cluster", targetVariable, targetKind)
	}
	if err := cp.connect(); err != nil {
		return nil, err
	}
	// Pods' credentials have the certificate itself, which may be in a file of its own.
	if err := rest.LoadTLSFiles(cp.Config); err != nil {
		return nil, fmt.Errorf("read the kubeconfig's certificates: %w", err)
	}
	return cp, nil
}

// external tells a cluster that is connected to from one that was started.
func (cp *ControlPlane) external() bool { return cp.process == nil }

var atEnd []func()

// AtEnd has a function called after the last test, while the shared cluster is still there.
func AtEnd(f func()) { atEnd = append(atEnd, f) }

func callAtEnd() {
	for _, f := range slices.Backward(atEnd) {
		f()
	}
}
