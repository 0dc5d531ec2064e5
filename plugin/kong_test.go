package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// localKong is a Kong with this executable as its plugin server. A setting is invalid, so that it
// needs no cluster.
type localKong struct {
	*kongtest.Kong
	health string
}

func startKong(t *testing.T) *localKong {
	t.Helper()
	return startKongAs(t, "root root")
}

// startKongAs starts a Kong whose workers run as a user and group, which can reach the executable
// and the prefix.
func startKongAs(t *testing.T, user string) *localKong {
	t.Helper()
	kongtest.Need(t)
	dir, err := os.MkdirTemp("", "kong") // other users cannot reach t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	prefix := filepath.Join(dir, "prefix")
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(prefix, 0o755)); err != nil { //nolint:gosec // see above
		t.Fatal(err)
	}
	// The plugin and the socket have the name of the executable.
	executable := filepath.Join(dir, "kube-sync")
	content, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(executable, content, 0o755); err != nil { //nolint:gosec // to be run
		t.Fatal(err)
	}
	command := "env " + asMain + "=1 " + executable
	health := freeport.Address(t)
	k := kongtest.Start(t, kongtest.Options{Prefix: prefix, Settings: []string{
		asMain + "=1", "KONG_NGINX_USER=" + user,
		"KONG_PLUGINS=bundled,kube-sync,kube-sync-delta", "KONG_PLUGINSERVER_NAMES=kube-sync",
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD=" + command, "KONG_PLUGINSERVER_KUBE_SYNC_QUERY_CMD=" + command + " -dump",
		"KONG_PLUGINSERVER_KUBE_SYNC_HEALTH_PROBE_BIND_ADDRESS=" + health,
		"KONG_PLUGINSERVER_KUBE_SYNC_METRICS_BIND_ADDRESS=off",
		"KONG_PLUGINSERVER_KUBE_SYNC_INGRES_CLASS=x",
	}})
	return &localKong{k, health}
}

// Workers that run as another user than Kong cannot read our files: Kong's log says so, and the
// process is not restarted each second.
func TestRealKongOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root starts workers of another user")
	}
	group := "nogroup"
	if _, err := user.LookupGroup(group); err != nil {
		group = "nobody" // as in Fedora
	}
	k := startKongAs(t, "nobody "+group)
	k.Eventually("Kong's log says what cannot be read", func() bool {
		return strings.Contains(k.ReadLog(), "[error]") && strings.Contains(k.ReadLog(), "kube-sync cannot read Kong's settings in effect") &&
			strings.Contains(k.ReadLog(), k.Prefix+"/.kong_env: Permission denied")
	})
	k.Eventually("kube-sync is started", func() bool { return len(k.servers()) > 0 })
	first := k.servers()
	time.Sleep(5 * time.Second)
	if n := strings.Count(k.ReadLog(), "[pluginserver] started, pid"); n != 1 || !slices.Equal(k.servers(), first) {
		t.Errorf("kube-sync was started %d times within seconds\n%s", n, k.ReadLog())
	}
}

// servers returns the process ids of the kube-syncs that Kong has started and that still run.
func (k *localKong) servers() []int {
	pids := []int{}
	for line := range strings.Lines(k.ReadLog()) {
		_, rest, ok := strings.Cut(line, "[pluginserver] started, pid ")
		if !ok {
			continue
		}
		number, _, _ := strings.Cut(rest, ",")
		pid, err := strconv.Atoi(strings.TrimSpace(number))
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, state, _ := strings.Cut(string(stat), ") ")
		if err == nil && state != "" && state[0] != 'Z' && !slices.Contains(pids, pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (k *localKong) readyz() string {
	resp, err := http.Get("http://" + k.health + "/readyz")
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return string(body)
}

// Kong starts us without arguments and environment, and still we find our settings,
// have one server act at a time, and leave no orphan.
func TestRealKong(t *testing.T) {
	k := startKong(t)
	k.Eventually("answer", func() bool { return strings.Contains(k.readyz(), "INGRES_CLASS is unknown") })
	first := k.servers()
	if len(first) != 1 {
		t.Fatalf("servers %v", first)
	}

	reload := exec.Command("kong", "reload", "-p", k.Prefix)
	reload.Env = k.Env
	if output, err := reload.CombinedOutput(); err != nil {
		t.Fatalf("kong reload: %v\n%s", err, output)
	}
	k.Eventually("succession", func() bool {
		now := k.servers()
		return len(now) == 1 && now[0] != first[0] && k.readyz() != ""
	})

	second := k.servers()[0]
	if err := syscall.Kill(kongtest.Parent(second), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	k.Eventually("server after the worker's death", func() bool {
		now := k.servers()
		return len(now) == 1 && now[0] != second && k.readyz() != ""
	})

	if log := k.ReadLog(); !strings.Contains(log, "A setting is invalid") {
		t.Errorf("kube-sync's log is not in Kong's:\n%s", log)
	}
}
