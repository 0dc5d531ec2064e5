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
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// Ports in the cases, which are replaced: of the endpoints, and of Kong.
const (
	portInCases   = "7777"
	plainInCases  = "7778"
	secureInCases = "7779"
)

// addresses are the addresses of endpoints.
var addresses = []string{"127.1.0.1", "127.1.0.2", "127.1.0.3", "127.2.0.1"}

// kong is a running Kong that follows the manifests in a directory.
type kong struct {
	*kongtest.Kong
	manifests     string
	plain, secure string // addresses of its listeners
	backends      int    // the port of the endpoints
}

func (k *kong) address(tls bool) string {
	if tls {
		return k.secure
	}
	return k.plain
}

// startKong starts Kong with kong.conf, on other ports.
func startKong(t *testing.T) *kong {
	t.Helper()
	kongtest.Need(t)
	kubeSync := filepath.Join(t.TempDir(), "kube-sync")
	if output, err := exec.Command("go", "build", "-o", kubeSync, "../../plugin").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	k := &kong{manifests: t.TempDir(), plain: freeport.Address(t), secure: freeport.Address(t), backends: startBackends(t)}
	k.Kong = kongtest.New(t, kongtest.Options{Conf: filepath.Join(kongtest.ConfDir(t), "kong.conf"), Settings: k.settings(t)})
	k.Env = append(k.Env,
		"KONG_NGINX_PROXY_LISTEN=unix:"+k.Prefix+"/gateways.sock",
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD="+kubeSync+" -kong-prefix "+k.Prefix,
		"KONG_PLUGINSERVER_KUBE_SYNC_QUERY_CMD="+kubeSync+" -dump")
	k.Start()
	return k
}

func (k *kong) settings(t *testing.T) []string {
	t.Helper()
	_, plain, _ := net.SplitHostPort(k.plain)
	_, secure, _ := net.SplitHostPort(k.secure)
	return []string{
		"KONG_PROXY_LISTEN=" + k.plain + ", " + k.secure + " http2 ssl",
		"KONG_PORT_MAPS=80:" + plain + ", 443:" + secure,
		"KONG_STREAM_LISTEN=off", "KONG_STATUS_LISTEN=off", "KONG_PROXY_ACCESS_LOG=off",
		"KONG_NGINX_WORKER_PROCESSES=1", "KONG_MEM_CACHE_SIZE=16m", "KONG_LMDB_MAP_SIZE=64m",
		"KONG_PLUGINSERVER_KUBE_SYNC_MANIFESTS=" + k.manifests,
		"KONG_PLUGINSERVER_KUBE_SYNC_PUBLISH_SERVICE=kong/kong-proxy",
		"KONG_PLUGINSERVER_KUBE_SYNC_HEALTH_PROBE_BIND_ADDRESS=" + freeport.Address(t),
		"KONG_PLUGINSERVER_KUBE_SYNC_METRICS_BIND_ADDRESS=off",
		"KONG_PLUGINSERVER_KUBE_SYNC_RELAY_BIND_ADDRESS=" + freeport.Address(t),
		"KONG_PLUGINSERVER_KUBE_SYNC_ALLOW_LOOPBACK_BACKENDS=true",
	}
}

// follow replaces the manifests.
func (k *kong) follow(t *testing.T, manifests string) {
	t.Helper()
	_, plain, _ := net.SplitHostPort(k.plain)
	_, secure, _ := net.SplitHostPort(k.secure)
	manifests = strings.NewReplacer(portInCases, strconv.Itoa(k.backends), plainInCases, plain, secureInCases, secure).Replace(manifests)
	written := filepath.Join(k.Prefix, "manifests.yaml")
	if err := os.WriteFile(written, []byte(manifests), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(written, filepath.Join(k.manifests, "manifests.yaml")); err != nil {
		t.Fatal(err)
	}
}

// startBackends starts a server at each of the addresses, all on one port. They answer with the address
// and the request's URL.
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
