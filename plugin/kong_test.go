package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// house is a Kong that has this executable as its plugin server. It has a setting
// that is wrong, so that there is no need of a cluster.
type house struct {
	prefix, health string
	env            []string
}

func openHouse(t *testing.T) *house {
	t.Helper()
	return openHouseAs(t, "root root")
}

// openHouseAs has workers of a user and group, which may reach the executable and the prefix.
func openHouseAs(t *testing.T, user string) *house {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no Kong is started")
	}
	if _, err := exec.LookPath("kong"); err != nil {
		t.Skip("there is no kong on PATH: this is not tested against a real one")
	}
	dir, err := os.MkdirTemp("", "house") // t.TempDir is nobody else's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	prefix := filepath.Join(dir, "prefix")
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(prefix, 0o755)); err != nil { //nolint:gosec // see above
		t.Fatal(err)
	}
	// The name of the executable is that of the plugin and of the socket.
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
	h := &house{prefix: prefix, health: freeport.Address(t)}
	command := "env " + asMain + "=1 " + executable
	h.env = append(os.Environ(), asMain+"=1",
		"KONG_PREFIX="+h.prefix, "KONG_NGINX_USER="+user, "KONG_DATABASE=off", "KONG_ROUTER_FLAVOR=expressions", "KONG_ANONYMOUS_REPORTS=off",
		"KONG_NGINX_WORKER_PROCESSES=1", "KONG_MEM_CACHE_SIZE=16m", "KONG_LMDB_MAP_SIZE=64m",
		"KONG_ADMIN_GUI_LISTEN=off", "KONG_STATUS_LISTEN=off", "KONG_PROXY_LISTEN="+freeport.Address(t),
		"KONG_ADMIN_LISTEN="+freeport.Address(t), "KONG_NGINX_ADMIN_LISTEN=unix:"+h.prefix+"/admin.sock",
		"KONG_PLUGINS=bundled,kube-sync,kube-sync-delta", "KONG_LUA_PACKAGE_PATH="+lua+"/?.lua;;", "KONG_PLUGINSERVER_NAMES=kube-sync",
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD="+command, "KONG_PLUGINSERVER_KUBE_SYNC_QUERY_CMD="+command+" -dump",
		"KONG_PLUGINSERVER_KUBE_SYNC_HEALTH_PROBE_BIND_ADDRESS="+h.health,
		"KONG_PLUGINSERVER_KUBE_SYNC_METRICS_BIND_ADDRESS=off",
		"KONG_PLUGINSERVER_KUBE_SYNC_INGRES_CLASS=x",
	)
	h.kong(t, "start")
	t.Cleanup(func() {
		master := h.master(t)
		h.kong(t, "stop", "-p", h.prefix)
		for range 100 {
			if syscall.Kill(master, 0) != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	return h
}

// Workers of another user than Kong's can read nothing of ours: Kong's own log says so, and
// no process is started each second.
func TestRealKongOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root starts workers of another user")
	}
	h := openHouseAs(t, "nobody nogroup")
	log := func() string {
		text, _ := os.ReadFile(filepath.Join(h.prefix, "logs", "error.log"))
		return string(text)
	}
	h.eventually(t, "word of it in Kong's log", func() bool {
		return strings.Contains(log(), "[error]") && strings.Contains(log(), "kube-sync cannot read Kong's settings in effect") &&
			strings.Contains(log(), h.prefix+"/.kong_env: Permission denied")
	})
	h.eventually(t, "start", func() bool { return len(h.servers()) > 0 })
	first := h.servers()
	time.Sleep(5 * time.Second)
	if n := strings.Count(log(), "[pluginserver] started, pid"); n != 1 || !slices.Equal(h.servers(), first) {
		t.Errorf("kube-sync was started %d times within seconds\n%s", n, log())
	}
}

func (h *house) kong(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("kong", args...)
	cmd.Env = h.env
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("kong %v: %v\n%s", args, err, output)
	}
}

func (h *house) master(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(h.prefix, "pids", "nginx.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// servers lists our processes in this house.
func (h *house) servers() []int {
	log, _ := os.ReadFile(filepath.Join(h.prefix, "logs", "error.log"))
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

func (h *house) readyz() string {
	resp, err := http.Get("http://" + h.health + "/readyz")
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return string(body)
}

func (h *house) eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(h.prefix, "logs", "error.log"))
			t.Fatalf("no %s; servers %v\n%s", what, h.servers(), log)
		}
	}
}

// Kong starts us without arguments and environment, and still we find our settings,
// have one server act at a time, and leave no orphan.
func TestRealKong(t *testing.T) {
	h := openHouse(t)
	h.eventually(t, "answer", func() bool { return strings.Contains(h.readyz(), "INGRES_CLASS is unknown") })
	first := h.servers()
	if len(first) != 1 {
		t.Fatalf("servers %v", first)
	}

	h.kong(t, "reload", "-p", h.prefix)
	h.eventually(t, "succession", func() bool {
		now := h.servers()
		return len(now) == 1 && now[0] != first[0] && h.readyz() != ""
	})

	second := h.servers()[0]
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
	h.eventually(t, "server after the worker's death", func() bool {
		now := h.servers()
		return len(now) == 1 && now[0] != second && h.readyz() != ""
	})

	log, err := os.ReadFile(filepath.Join(h.prefix, "logs", "error.log"))
	if err != nil || !strings.Contains(string(log), "A setting is wrong") {
		t.Errorf("our log is not in Kong's: %v\n%s", err, log)
	}
}
