package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
)

// state is what the test binary inside the namespaces knows. Main sets it before the tests run.
var state struct {
	unavailable string // why there can be no cluster; "" where there can
	setup       setup
}

// setup is sent from the process outside the namespaces, which has a network and a compiler, to the one inside.
type setup struct {
	Dir          string            // for everything that the tests write
	ControlPlane string            // the executable of package controlplane; "" for tests without a cluster
	Programs     map[string]string // executables by image name
	Modules      map[string]string // directories of modules by "path@version"
}

// Main runs a package's tests, as the package documentation describes. TestMain calls nothing else. Main builds the
// programs and the echo backend. They are available as images of pods and from Executable.
func Main(m *testing.M, programs ...Program) { run(m, true, append([]Program{echo}, programs...)) }

// MainWithoutControlPlane is Main for tests that need the namespaces and the programs, and no cluster.
func MainWithoutControlPlane(m *testing.M, programs ...Program) { run(m, false, programs) }

func run(m *testing.M, controlPlane bool, programs []Program) {
	if err := checkTarget(); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
	switch {
	case External():
		os.Exit(runExternal(m))
	case os.Getenv(insideVariable) != "":
		os.Exit(inside(m))
	}
	os.Exit(outside(m, controlPlane, programs))
}

// Require skips the test if there can be no cluster.
func Require(t testing.TB) {
	t.Helper()
	if state.unavailable == "" && state.setup.Dir == "" && !External() {
		t.Fatal("lab: this package's TestMain does not call lab.Main")
	}
	if state.unavailable != "" {
		t.Skip("lab: " + state.unavailable)
	}
}

// Executable returns the path of a program that Main has built.
func Executable(t testing.TB, image string) string {
	t.Helper()
	Require(t)
	if External() {
		Skip(t, "runs programs on this machine, outside the cluster")
	}
	path, ok := state.setup.Programs[image]
	if !ok {
		t.Fatalf("lab: Main got no program for image %s", image)
	}
	return path
}

// outside starts this binary again in the namespaces, builds the programs, and waits until the tests have ended.
func outside(m *testing.M, controlPlane bool, programs []Program) int {
	mode := os.Getenv("KUBE_SYNC_E2E")
	if mode == "off" {
		return skip(m, "KUBE_SYNC_E2E=off")
	}
	child, err := startInside()
	if errors.Is(err, errNoNamespaces) && mode != "required" {
		return skip(m, err.Error())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 1
	}
	dir, err := os.MkdirTemp("", "kube-sync-e2e-")
	if err == nil {
		defer removeUnlessKept(dir)
		err = child.send(dir, controlPlane, programs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		child.kill()
		return 1
	}
	return child.wait()
}

func removeUnlessKept(dir string) {
	if os.Getenv("KUBE_SYNC_E2E_KEEP") != "" {
		fmt.Fprintln(os.Stderr, "lab: logs and data are kept in", dir)
		return
	}
	_ = os.RemoveAll(dir)
}

// skip runs the tests in place. Tests that need a cluster are skipped.
func skip(m *testing.M, reason string) int {
	state.unavailable = reason
	code := m.Run()
	fmt.Fprintf(os.Stderr, "lab: SKIPPED every test of this package that needs a cluster: %s\n", reason)
	return code
}

// send builds the programs and sends their paths to the test binary in the namespaces.
func (c *child) send(dir string, controlPlane bool, programs []Program) error {
	built, err := build(dir, controlPlane, programs)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(c.toInside).Encode(built); err != nil {
		return fmt.Errorf("send the paths of programs to the test binary in the namespaces: %w", err)
	}
	return c.toInside.Close()
}

// foreign are variables of the machine that lead out of the namespaces: to a proxy, or to another cluster.
var foreign = []string{
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy",
	"KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT",
}

func inside(m *testing.M) int {
	for _, name := range foreign {
		_ = os.Unsetenv(name)
	}
	if err := enter(&state.setup); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 1
	}
	code := m.Run()
	closeShared()
	return checkAudit(code)
}
