package pod

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/kongtest"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

// credentialsDir is the directory in which a pod has its ServiceAccount's credentials.
const credentialsDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// mountCredentials mounts credentials at the directory in which pods look for them. The mount is private to
// the lab.
func mountCredentials(t testing.TB, c lab.Credentials) {
	t.Helper()
	if c.Dir == "" {
		return
	}
	if err := os.MkdirAll(credentialsDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(c.Dir, credentialsDir, "", syscall.MS_BIND, ""); err != nil {
		t.Fatalf("mount the credentials at %s: %v", credentialsDir, err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(credentialsDir, syscall.MNT_DETACH) })
}

// KubeSyncs returns the process ids of the pod's kube-sync, oldest first: one, except while a new one
// takes over.
func (p *Pod) KubeSyncs() []int {
	p.needProcesses()
	return kongtest.Processes(func(_ int, command string) bool {
		return strings.Contains(command, "-kong-prefix") && strings.Contains(command, p.Prefix) && !strings.HasPrefix(command, "/bin/sh")
	})
}

// Workers returns the process ids of Kong's workers, oldest first.
func (p *Pod) Workers() []int {
	p.needProcesses()
	return p.process.Workers()
}

// WorkerZero returns the process id of the worker that started kube-sync, or 0.
func (p *Pod) WorkerZero() int {
	all := p.KubeSyncs()
	if len(all) == 0 {
		return 0
	}
	return kongtest.Parent(all[len(all)-1])
}
