package pod

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/lab"
)

// credentialsDir is where a pod finds its ServiceAccount's credentials.
const credentialsDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// mountCredentials puts credentials where pods look for them. The mount is the lab's
// own and ends with it.
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

// KubeSyncs are the process ids of the pod's kube-sync, oldest first: one, except
// while a new one takes over.
func (p *Pod) KubeSyncs() []int {
	p.needProcesses()
	return processes(func(cmdline string) bool {
		return strings.Contains(cmdline, "-kong-prefix") && strings.Contains(cmdline, p.Prefix) &&
			!strings.HasPrefix(cmdline, "/bin/sh")
	})
}

// Workers are the process ids of Kong's workers, oldest first.
func (p *Pod) Workers() []int {
	p.needProcesses()
	master := p.master()
	return processes(func(cmdline string) bool { return strings.HasPrefix(cmdline, "nginx: worker process") },
		func(pid int) bool { return parent(pid) == master })
}

// WorkerZero is the worker that started kube-sync.
func (p *Pod) WorkerZero() int {
	all := p.KubeSyncs()
	if len(all) == 0 {
		return 0
	}
	return parent(all[len(all)-1])
}

func processes(is func(cmdline string) bool, also ...func(pid int) bool) []int {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var pids []int
	for _, dir := range dirs {
		raw, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || len(raw) == 0 || !is(strings.ReplaceAll(string(raw), "\x00", " ")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || slices.ContainsFunc(also, func(ok func(int) bool) bool { return !ok(pid) }) {
			continue
		}
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	return pids
}

func parent(pid int) int {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, "PPid:"); ok {
			pid, _ := strconv.Atoi(strings.TrimSpace(value))
			return pid
		}
	}
	return 0
}
