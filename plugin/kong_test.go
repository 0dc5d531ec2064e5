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
)

// localKong is a Kong with this executable as its plugin server. A setting is invalid, so that it
// needs no cluster.
type localKong struct {
	prefix, health string
	env            []string
}

func startKong(t *testing.T) *localKong {
	t.Helper()
	return startKongAs(t, "root root")
}

// startKongAs starts a Kong whose workers run as a user and group, which can reach the executable
// and the prefix.
func startKongAs(t *testing.T, user string) *localKong {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no Kong is started")
	}
	if _, err := exec.LookPath("kong"); err != nil {
		t.Skip("there is no kong on PATH: this is not tested against a real one")
	}
	dir, err := os.MkdirTemp("", "kong") // other users cannot read t.TempDir
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
	lua, err := filepath.Abs("../kong-conf/lua")
	if err != nil {
		t.Fatal(err)
	}
	k := &localKong{prefix: prefix, health: freeport.Address(t)}
	command := "env " + asMain + "=1 " + executable
	k.env = append(os.Environ(), asMain+"=1",
		"KONG_PREFIX="+k.prefix, "KONG_NGINX_USER="+user, "KONG_DATABASE=off", "KONG_ROUTER_FLAVOR=expressions", "KONG_ANONYMOUS_REPORTS=off",
		"KONG_NGINX_WORKER_PROCESSES=1", "KONG_MEM_CACHE_SIZE=16m", "KONG_LMDB_MAP_SIZE=64m",
		"KONG_ADMIN_GUI_LISTEN=off", "KONG_STATUS_LISTEN=off", "KONG_PROXY_LISTEN="+freeport.Address(t),
		"KONG_ADMIN_LISTEN="+freeport.Address(t), "KONG_NGINX_ADMIN_LISTEN=unix:"+k.prefix+"/admin.sock",
		"KONG_PLUGINS=bundled,kube-sync,kube-sync-delta", "KONG_LUA_PACKAGE_PATH="+lua+"/?.lua;;", "KONG_PLUGINSERVER_NAMES=kube-sync",
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD="+command, "KONG_PLUGINSERVER_KUBE_SYNC_QUERY_CMD="+command+" -dump",
		"KONG_PLUGINSERVER_KUBE_SYNC_HEALTH_PROBE_BIND_ADDRESS="+k.health,
		"KONG_PLUGINSERVER_KUBE_SYNC_METRICS_BIND_ADDRESS=off",
		"KONG_PLUGINSERVER_KUBE_SYNC_INGRES_CLASS=x",
	)
	k.kong(t, "start")
	t.Cleanup(func() {
		master := k.master(t)
		k.kong(t, "stop", "-p", k.prefix)
		for range 1200 {
			if syscall.Kill(master, 0) != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	return k
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
	log := func() string {
		text, _ := os.ReadFile(filepath.Join(k.prefix, "logs", "error.log"))
		return string(text)
	}
	k.eventually(t, "message in Kong's log", func() bool {
		return strings.Contains(log(), "[error]") && strings.Contains(log(), "kube-sync cannot read Kong's settings in effect") &&
			strings.Contains(log(), k.prefix+"/.kong_env: Permission denied")
	})
	k.eventually(t, "start", func() bool { return len(k.servers()) > 0 })
	first := k.servers()
	time.Sleep(5 * time.Second)
	if n := strings.Count(log(), "[pluginserver] started, pid"); n != 1 || !slices.Equal(k.servers(), first) {
		t.Errorf("kube-sync was started %d times within seconds\n%s", n, log())
	}
}

func (k *localKong) kong(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("kong", args...)
	cmd.Env = k.env
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("kong %v: %v\n%s", args, err, output)
	}
}

func (k *localKong) master(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(k.prefix, "pids", "nginx.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// servers returns the process ids of our processes of this Kong.
func (k *localKong) servers() []int {
	log, _ := os.ReadFile(filepath.Join(k.prefix, "logs", "error.log"))
	pids := []int{}
	for line := range strings.Lines(string(log)) {
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

func (k *localKong) eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(k.prefix, "logs", "error.log"))
			t.Fatalf("no %s; servers %v\n%s", what, k.servers(), log)
		}
	}
}

// Kong starts us without arguments and environment. We still find our settings, only one process
// acts at a time, and none is left as an orphan.
func TestRealKong(t *testing.T) {
	k := startKong(t)
	k.eventually(t, "answer", func() bool { return strings.Contains(k.readyz(), "INGRES_CLASS is unknown") })
	first := k.servers()
	if len(first) != 1 {
		t.Fatalf("servers %v", first)
	}

	k.kong(t, "reload", "-p", k.prefix)
	k.eventually(t, "succession", func() bool {
		now := k.servers()
		return len(now) == 1 && now[0] != first[0] && k.readyz() != ""
	})

	second := k.servers()[0]
	worker, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", second))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(worker), ") ")
	parent, err := strconv.Atoi(strings.Fields(rest)[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(parent, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	k.eventually(t, "server after the worker's death", func() bool {
		now := k.servers()
		return len(now) == 1 && now[0] != second && k.readyz() != ""
	})

	log, err := os.ReadFile(filepath.Join(k.prefix, "logs", "error.log"))
	if err != nil || !strings.Contains(string(log), "A setting is invalid") {
		t.Errorf("our log is not in Kong's: %v\n%s", err, log)
	}
}
