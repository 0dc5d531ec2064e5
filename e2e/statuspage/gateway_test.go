package statuspage

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
	"github.com/kube-sync/kube-sync/e2e/testcert"
)

// gateway is a Kong with kube-sync, which follows a directory of manifests and serves the page.
type gateway struct {
	*kongtest.Kong
	manifests string
	// page is the URL of the status page.
	page string
}

// start starts a gateway with manifests, by file name.
func start(t *testing.T, manifests map[string]string) *gateway {
	t.Helper()
	kongtest.Need(t)
	dir := t.TempDir()
	g := &gateway{manifests: filepath.Join(dir, "manifests")}
	binary := filepath.Join(dir, "kube-sync")
	if output, err := exec.Command("go", "build", "-o", binary, "../../plugin").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if err := os.Mkdir(g.manifests, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range manifests {
		g.write(t, name, content)
	}
	page := freeport.Address(t)
	g.page = "http://" + page
	g.Kong = kongtest.Start(t, kongtest.Options{Conf: filepath.Join(kongtest.ConfDir(t), "kong.conf"), Settings: []string{
		"KONG_STREAM_LISTEN=off", "KONG_STATUS_LISTEN=off", "KONG_NGINX_PROXY_LISTEN=unix:" + filepath.Join(dir, "gateways.sock"), "KONG_NGINX_WORKER_PROCESSES=2",
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD=" + binary, "KONG_PLUGINSERVER_KUBE_SYNC_QUERY_CMD=" + binary + " -dump",
		"KONG_PLUGINSERVER_KUBE_SYNC_MANIFESTS=" + g.manifests, "KONG_PLUGINSERVER_KUBE_SYNC_RELAY_BIND_ADDRESS=" + freeport.Address(t),
		"KONG_PLUGINSERVER_KUBE_SYNC_HEALTH_PROBE_BIND_ADDRESS=off", "KONG_PLUGINSERVER_KUBE_SYNC_METRICS_BIND_ADDRESS=off",
		"KONG_PLUGINSERVER_KUBE_SYNC_STATUS_PAGE_BIND_ADDRESS=" + page,
		"KONG_PLUGINSERVER_KUBE_SYNC_ALLOW_LOOPBACK_BACKENDS=true", // the backends of the test
	}})
	return g
}

// write replaces a file of manifests.
func (g *gateway) write(t *testing.T, name, content string) {
	t.Helper()
	file := filepath.Join(g.manifests, name+".yaml")
	if err := os.WriteFile(file+".new", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request to the gateway and returns its status, and the address of the backend that
// answered.
func (g *gateway) ask(t *testing.T, host, path string) (status int, backend string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+g.Proxy+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode, answer.Header.Get("X-Backend")
}

// backend starts a server that says its address, and returns the address.
func backend(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Backend", r.Context().Value(http.LocalAddrContextKey).(net.Addr).String())
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// service returns a Service with endpoints on loopback.
func service(namespace, name string, addresses ...string) string {
	text := fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: %[2]s, namespace: %[1]s}\nspec: {ports: [{name: http, port: 80}]}\n", namespace, name)
	for n, address := range addresses {
		_, port, _ := net.SplitHostPort(address)
		text += fmt.Sprintf("---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: %[2]s-%[3]d, namespace: %[1]s, labels: {kubernetes.io/service-name: %[2]s}}\n"+
			"addressType: IPv4\nports: [{name: http, port: %[4]s}]\nendpoints: [{addresses: [127.0.0.1], conditions: {ready: true}}]\n", namespace, name, n, port)
	}
	return text
}

// keyPair returns a TLS Secret.
func keyPair(namespace, name string, hosts ...string) string {
	indent := func(pem string) string {
		return "    " + strings.ReplaceAll(strings.TrimSpace(pem), "\n", "\n    ") + "\n"
	}
	pair := testcert.Issue(nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: hosts[0]}, DNSNames: hosts, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, 80),
	})
	return fmt.Sprintf("apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {name: %s, namespace: %s}\nstringData:\n  tls.crt: |\n%s  tls.key: |\n%s",
		name, namespace, indent(pair.CertPEM()), indent(pair.KeyPEM()))
}

func testdata(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
