package kongconf_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// gateway is a Kong with kong.conf, started like in its image.
type gateway struct {
	t      *testing.T
	prefix string
	env    []string
	// Addresses, "host:port".
	proxy, admin, status string
}

// TestKongRunsWithKongConf starts a real Kong with kong.conf. Only the prefix, the ports and what
// depends on the machine are overridden.
func TestKongRunsWithKongConf(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: no Kong is started")
	}
	if _, err := exec.LookPath("kong"); err != nil {
		t.Skip("kong is not on PATH: kong.conf is not tested on a real one")
	}
	g := prepare(t)
	end := g.start()

	if code, _ := g.overTCP("http://" + g.admin + "/status"); code != http.StatusForbidden {
		t.Errorf("the Admin API answers %d over TCP, not 403", code)
	}
	if code, _ := g.overTCP("http://" + g.status + "/status"); code != http.StatusOK {
		t.Errorf("the Status API answers %d to the liveness probe", code)
	}
	g.kubeSyncIsStarted()
	if code, answer := g.overSocket(http.MethodGet, "/kube-sync/request", nil); code != http.StatusOK || !strings.Contains(answer, `"version":"3.`) || strings.Contains(answer, "problem") {
		t.Errorf("requests are not examined: %d %s", code, answer)
	}

	large := configuration(3000)
	if code, answer := g.load(large); code != http.StatusCreated {
		t.Fatalf("a configuration of %d MB: %d %s", len(large)>>20, code, answer)
	}
	g.eventually("the last route", func() bool { return g.routed(2999) })
	end()

	end = g.start()
	defer end()
	g.eventually("readiness with the persisted configuration", func() bool {
		code, _ := g.overTCP("http://" + g.status + "/status/ready")
		return code == http.StatusOK
	})
	if !g.routed(2999) {
		t.Error("a restarted Kong does not have its last configuration")
	}
}

// prepare creates a prefix, and the environment that overrides settings for it.
func prepare(t *testing.T) *gateway {
	t.Helper()
	prefix, err := os.MkdirTemp("", "kong") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(prefix) })
	lua, err := filepath.Abs("lua")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{t: t, prefix: prefix, proxy: freeport.Address(t), admin: freeport.Address(t), status: freeport.Address(t)}
	g.env = append(os.Environ(),
		"KONG_PREFIX="+prefix,
		// Workers run as the user that starts Kong, as in the image: only that user can read the prefix.
		"KONG_NGINX_USER=root root",
		// In the image the Lua plugins are on Kong's own path.
		"KONG_LUA_PACKAGE_PATH="+lua+"/?.lua;;",
		"KONG_PROXY_LISTEN="+g.proxy, "KONG_NGINX_PROXY_LISTEN="+freeport.Address(t), "KONG_STREAM_LISTEN="+freeport.Address(t)+" reuseport",
		"KONG_ADMIN_LISTEN="+g.admin, "KONG_STATUS_LISTEN="+g.status,
		"KONG_NGINX_ADMIN_LISTEN=unix:"+g.socket(),
		// This runs in place of kube-sync and records its environment.
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD=/bin/sh -c 'env > "+prefix+"/seen; exec sleep 600'",
		"KONG_PLUGINSERVER_KUBE_SYNC_POD_NAME=gateway-0",
		"KONG_NGINX_DAEMON=off",
	)
	return g
}

func (g *gateway) socket() string { return filepath.Join(g.prefix, "sockets", "admin.sock") }

// start starts Kong like the entrypoint of Kong's image. The returned function ends Kong.
func (g *gateway) start() (end func()) {
	g.t.Helper()
	prepare := exec.Command("kong", "prepare", "-c", "kong.conf", "-p", g.prefix)
	prepare.Env = g.env
	if output, err := prepare.CombinedOutput(); err != nil {
		g.t.Fatalf("kong prepare: %v\n%s", err, output)
	}
	master := exec.Command("/usr/local/openresty/nginx/sbin/nginx", "-p", g.prefix, "-c", "nginx.conf")
	master.Env = g.env
	master.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := master.Start(); err != nil {
		g.t.Fatalf("nginx: %v", err)
	}
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		_ = master.Process.Signal(syscall.SIGQUIT)
		kill := time.AfterFunc(time.Minute, func() { _ = master.Process.Signal(syscall.SIGTERM) })
		_ = master.Wait()
		kill.Stop()
	}
	g.t.Cleanup(func() {
		end()
		if log, err := os.ReadFile(filepath.Join(g.prefix, "logs", "error.log")); err == nil && g.t.Failed() {
			g.t.Logf("Kong's log:\n%s", log)
		}
	})
	g.eventually("the Admin API", func() bool {
		code, _ := g.overSocket(http.MethodGet, "/status", nil)
		return code == http.StatusOK
	})
	return end
}

// kubeSyncIsStarted waits until Kong has started the program in place of kube-sync, and checks the
// environment and the settings that it gets.
func (g *gateway) kubeSyncIsStarted() {
	g.t.Helper()
	var seen []byte
	g.eventually("kube-sync", func() bool {
		var err error
		seen, err = os.ReadFile(filepath.Join(g.prefix, "seen"))
		return err == nil && len(seen) > 0
	})
	for line := range strings.Lines(string(seen)) {
		if strings.HasPrefix(line, "KONG_") || strings.HasPrefix(line, "HOME=") {
			g.t.Errorf("Kong passes on its environment: %s", line)
		}
	}
	settings, err := os.ReadFile(filepath.Join(g.prefix, ".kong_env"))
	if err != nil || !bytes.Contains(settings, []byte("pluginserver_kube_sync_pod_name = gateway-0\n")) {
		g.t.Errorf("kube-sync's settings are not in the prefix (%v):\n%s", err, settings)
	}
}

// load sends a configuration as kube-sync does.
func (g *gateway) load(body []byte) (code int, answer string) {
	return g.overSocket(http.MethodPost, "/config?check_hash=1&flatten_errors=1", body)
}

func (g *gateway) overSocket(method, path string, body []byte) (code int, answer string) {
	client := http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", g.socket())
		},
	}}
	request, err := http.NewRequest(method, "http://kong"+path, bytes.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	request.Header.Set("Content-Type", "text/yaml")
	return read(client.Do(request))
}

func (g *gateway) overTCP(url string) (code int, answer string) {
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	return read(client.Get(url))
}

func read(answer *http.Response, err error) (int, string) {
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	start, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, string(start)
}

// routed reports whether Kong has the route with this number.
func (g *gateway) routed(n int) bool {
	_, answer := g.overTCP(fmt.Sprintf("http://%s/route-%d", g.proxy, n))
	return strings.Contains(answer, fmt.Sprintf("this is %d", n))
}

func (g *gateway) eventually(what string, check func() bool) {
	g.t.Helper()
	const within = 3 * time.Minute
	for deadline := time.Now().Add(within); !check(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			g.t.Fatalf("%s: not true within %v", what, within)
		}
	}
}

// configuration has n routes, each answered by Kong itself, and 4 KiB of tags for each:
// more than Kong's own limit of 10 MB when n is 3000.
func configuration(n int) []byte {
	padding := strings.Repeat(`,"`+strings.Repeat("x", 125)+`"`, 32)
	var routes, plugins []string
	for i := range n {
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		routes = append(routes, fmt.Sprintf(`{"id":%q,"name":"r%d","expression":"http.path == \"/route-%d\"","priority":1,"tags":["t%d"%s]}`,
			id, i, i, i, padding))
		plugins = append(plugins, fmt.Sprintf(`{"id":"10000000-0000-4000-8000-%012d","name":"request-termination","route":%q,"config":{"message":"this is %d"}}`,
			i, id, i))
	}
	return fmt.Appendf(nil, `{"_format_version":"3.0","routes":[%s],"plugins":[%s]}`, strings.Join(routes, ","), strings.Join(plugins, ","))
}
