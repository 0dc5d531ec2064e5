package manifests

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// nginx is where OpenResty has it.
const nginx = "/usr/local/openresty/nginx/sbin/nginx"

// What stands for the port of the endpoints, and for those of Kong.
const (
	portInCases   = "7777"
	plainInCases  = "7778"
	secureInCases = "7779"
)

// addresses are those at which endpoints answer.
var addresses = []string{"127.1.0.1", "127.1.0.2", "127.1.0.3", "127.2.0.1"}

// kong is a running Kong that follows the manifests in a directory.
type kong struct {
	prefix, manifests string
	plain, secure     string // addresses of its listeners
	backends          int    // the port of the endpoints
	master            *exec.Cmd
}

func (k *kong) address(tls bool) string {
	if tls {
		return k.secure
	}
	return k.plain
}

// startKong starts Kong with kong.conf as its image starts it, but for the ports.
func startKong(t *testing.T) *kong {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no Kong is started")
	}
	if _, err := exec.LookPath("kong"); err != nil {
		t.Skip("there is no kong on PATH: no case is asked of a real one")
	}
	prefix, err := os.MkdirTemp("", "kong") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(prefix) })
	kubeSync := filepath.Join(t.TempDir(), "kube-sync")
	if output, err := exec.Command("go", "build", "-o", kubeSync, "../../plugin").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	k := &kong{prefix: prefix, manifests: t.TempDir(), plain: freeport.Address(t), secure: freeport.Address(t), backends: startBackends(t)}
	environment := append(os.Environ(), k.settings(t, kubeSync)...)
	prepare := exec.Command("kong", "prepare", "-c", "../../kong-conf/kong.conf", "-p", prefix)
	prepare.Env = environment
	if output, err := prepare.CombinedOutput(); err != nil {
		t.Fatalf("kong prepare: %v\n%s", err, output)
	}
	k.master = exec.Command(nginx, "-p", prefix, "-c", "nginx.conf")
	k.master.Env = environment
	k.master.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := k.master.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.stop)
	return k
}

func (k *kong) settings(t *testing.T, kubeSync string) []string {
	t.Helper()
	lua, err := filepath.Abs("../../kong-conf/lua")
	if err != nil {
		t.Fatal(err)
	}
	_, plain, _ := net.SplitHostPort(k.plain)
	_, secure, _ := net.SplitHostPort(k.secure)
	return []string{
		"KONG_PREFIX=" + k.prefix, "KONG_NGINX_USER=root root", "KONG_NGINX_DAEMON=off",
		"KONG_LUA_PACKAGE_PATH=" + lua + "/?.lua;;",
		"KONG_PROXY_LISTEN=" + k.plain + ", " + k.secure + " http2 ssl",
		"KONG_PORT_MAPS=80:" + plain + ", 443:" + secure,
		"KONG_NGINX_PROXY_LISTEN=unix:" + k.prefix + "/gateways.sock",
		"KONG_STREAM_LISTEN=off", "KONG_STATUS_LISTEN=off", "KONG_PROXY_ACCESS_LOG=off",
		"KONG_ADMIN_LISTEN=" + freeport.Address(t), "KONG_NGINX_ADMIN_LISTEN=unix:" + k.prefix + "/sockets/admin.sock",
		"KONG_NGINX_WORKER_PROCESSES=1", "KONG_MEM_CACHE_SIZE=16m", "KONG_LMDB_MAP_SIZE=64m",
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD=" + kubeSync + " -kong-prefix " + k.prefix,
		"KONG_PLUGINSERVER_KUBE_SYNC_QUERY_CMD=" + kubeSync + " -dump",
		"KONG_PLUGINSERVER_KUBE_SYNC_MANIFESTS=" + k.manifests,
		"KONG_PLUGINSERVER_KUBE_SYNC_PUBLISH_SERVICE=kong/kong-proxy",
		"KONG_PLUGINSERVER_KUBE_SYNC_HEALTH_PROBE_BIND_ADDRESS=" + freeport.Address(t),
		"KONG_PLUGINSERVER_KUBE_SYNC_METRICS_BIND_ADDRESS=off",
		"KONG_PLUGINSERVER_KUBE_SYNC_RELAY_BIND_ADDRESS=" + freeport.Address(t),
		"KONG_PLUGINSERVER_KUBE_SYNC_ALLOW_LOOPBACK_BACKENDS=true",
	}
}

func (k *kong) stop() {
	_ = k.master.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(20*time.Second, func() { _ = k.master.Process.Kill() })
	_ = k.master.Wait()
	kill.Stop()
}

// follow puts manifests in the place of those of before.
func (k *kong) follow(t *testing.T, manifests string) {
	t.Helper()
	_, plain, _ := net.SplitHostPort(k.plain)
	_, secure, _ := net.SplitHostPort(k.secure)
	manifests = strings.NewReplacer(portInCases, strconv.Itoa(k.backends), plainInCases, plain, secureInCases, secure).Replace(manifests)
	written := filepath.Join(k.prefix, "manifests.yaml")
	if err := os.WriteFile(written, []byte(manifests), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(written, filepath.Join(k.manifests, "manifests.yaml")); err != nil {
		t.Fatal(err)
	}
}

// complaints are the last lines of Kong's log.
func (k *kong) complaints() string {
	log, _ := os.ReadFile(filepath.Join(k.prefix, "logs", "error.log"))
	return string(log[max(0, len(log)-8000):])
}

// startBackends starts servers at the addresses of endpoints, at one port, which say where
// they are and what they were asked for.
func startBackends(t *testing.T) (port int) {
	t.Helper()
	for i, address := range addresses {
		l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", address, port))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			port = l.Addr().(*net.TCPAddr).Port
		}
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, address+" "+r.RequestURI)
		})}
		go func() { _ = server.Serve(l) }()
		t.Cleanup(func() { _ = server.Close() })
	}
	return port
}
