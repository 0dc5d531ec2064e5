package tenants

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// scene is a Kong that is configured by manifests.
type scene struct {
	t       *testing.T
	prefix  string
	proxy   string // host:port
	backend string // host:port of a server that tells what it was asked
	graph   *unit.Graph
	gateway *gateway.Gateway
	client  *http.Client
}

// plugins are those of the image.
const plugins = "bundled,kube-sync-delta,kube-sync-http,kube-sync-cors,kube-sync-ports,kube-sync-stream,kube-sync-closed,kube-sync-mtls,kube-sync-request,kube-sync-tenants"

// newScene starts a Kong with further settings, given as NAME=value.
func newScene(t *testing.T, o translate.Options, settings ...string) *scene {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no Kong is started")
	}
	if _, err := exec.LookPath("kong"); err != nil {
		t.Skip("there is no kong on PATH: this is not tested against a real one")
	}
	prefix, err := os.MkdirTemp("", "kong") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(prefix) })
	proxy, socket := freeport.Address(t), filepath.Join(prefix, "admin.sock")
	lua, err := filepath.Abs("../../kong-conf/lua")
	if err != nil {
		t.Fatal(err)
	}
	command(t, append([]string{
		"KONG_PREFIX=" + prefix, "KONG_NGINX_USER=root root", "KONG_DATABASE=off", "KONG_ROUTER_FLAVOR=expressions", "KONG_ANONYMOUS_REPORTS=off",
		"KONG_NGINX_WORKER_PROCESSES=2", "KONG_MEM_CACHE_SIZE=16m", "KONG_LMDB_MAP_SIZE=64m", "KONG_UNTRUSTED_LUA=sandbox",
		"KONG_PLUGINS=" + plugins, "KONG_LUA_PACKAGE_PATH=" + lua + "/?.lua;;",
		"KONG_ADMIN_GUI_LISTEN=off", "KONG_STATUS_LISTEN=off", "KONG_PROXY_LISTEN=" + proxy + " reuseport",
		"KONG_PLUGINSERVER_KUBE_SYNC_ALLOW_LOOPBACK_BACKENDS=true", // where the backend is
		"KONG_ADMIN_LISTEN=" + freeport.Address(t), "KONG_NGINX_ADMIN_LISTEN=unix:" + socket,
	}, settings...), "kong", "start")
	t.Cleanup(func() { stop(t, prefix) })
	admin, err := adminapi.NewClient("unix:"+socket, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	echo := httptest.NewServer(http.HandlerFunc(tell))
	t.Cleanup(echo.Close)
	o.IngressClass = "kong"
	o.Backend.Addresses.AllowOwnHost = o.Backend.Addresses.Allowed == nil
	return &scene{
		t: t, prefix: prefix, proxy: proxy, backend: echo.Listener.Addr().String(),
		graph: translate.New(o), gateway: gateway.New(admin, noRelay{}),
		client: &http.Client{Timeout: 3 * time.Minute, Transport: &http.Transport{DisableKeepAlives: true}},
	}
}

func command(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, output)
	}
}

// stop ends the Kong of a prefix, which is removed after it.
func stop(t *testing.T, prefix string) {
	log, _ := os.ReadFile(filepath.Join(prefix, "logs", "error.log"))
	if strings.Contains(string(log), "tenants are not separated") {
		t.Error("tenants are not separated in this Kong")
	}
	if t.Failed() {
		t.Logf("Kong's log:\n%.6000s", log[max(0, len(log)-6000):])
	}
	file := filepath.Join(prefix, "pids", "nginx.pid")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	master, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(master, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for range 1200 { // its pid file is what goes last
		if _, err := os.Stat(file); err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

type noRelay struct{}

func (noRelay) Add([]*kong.Entity)    {}
func (noRelay) Remove([]*kong.Entity) {}
func (noRelay) Keep([]*kong.Entity)   {}

// told is what the backend was asked.
type told struct {
	Path   string
	Header http.Header
}

func tell(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Kong-Limit", "asked=1") // for response-ratelimiting, which keeps it
	_ = json.NewEncoder(w).Encode(told{r.URL.RequestURI(), r.Header})
}

// apply adds or changes objects and has every worker work by them. It returns what Kong
// refused.
func (s *scene) apply(manifests string) []gateway.Refusal {
	s.t.Helper()
	list, err := manifest.Read("input.yaml", strings.NewReader(manifests), kinds.All())
	if err != nil {
		s.t.Fatal(err)
	}
	changed := map[unit.ID]struct{}{}
	for _, m := range list.Objects {
		for id := range s.graph.Update(unit.Change{Key: m.Key, Object: m.Object}).Units {
			changed[id] = struct{}{}
		}
	}
	outcome, err := s.gateway.Apply(s.t.Context(), s.graph, changed)
	for err == nil && len(outcome.Left) > 0 {
		outcome, err = s.gateway.Apply(s.t.Context(), s.graph, outcome.Left)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(3 * time.Minute); !outcome.Effective; time.Sleep(20 * time.Millisecond) {
		state, err := s.gateway.State(s.t.Context())
		if err != nil || time.Now().After(deadline) {
			s.t.Fatalf("the workers do not work by the configuration: %+v, %v", state, err)
		}
		outcome.Effective = state.Effective
	}
	return outcome.Refusals
}

// verdicts are what is said about an object, one a line.
func (s *scene) verdicts(key unit.Key) string {
	var lines []string
	for _, v := range s.graph.Verdicts(key) {
		lines = append(lines, v.Reason+": "+v.Message)
	}
	return strings.Join(lines, "\n")
}

// request is one to a host of the gateway.
type request struct {
	host, path string
	header     map[string]string
}

// answer is the status, the headers, and what the backend was asked if it was.
type answer struct {
	status int
	header http.Header
	told   told
	body   string
}

func (s *scene) ask(r request) (answer, error) {
	asked, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.proxy+"/"+strings.TrimPrefix(r.path, "/"), nil)
	if err != nil {
		return answer{}, err
	}
	asked.Host = r.host
	for name, value := range r.header {
		asked.Header.Set(name, value)
	}
	response, err := s.client.Do(asked)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	a := answer{status: response.StatusCode, header: response.Header, body: string(body)}
	_ = json.Unmarshal(body, &a.told)
	return a, err
}

// want asks often enough to reach both workers and holds each answer to a status.
func (s *scene) want(r request, status int) answer {
	s.t.Helper()
	var last answer
	for range 8 {
		a, err := s.ask(r)
		if err != nil || a.status != status {
			s.t.Fatalf("%+v: %d %.300s, %v; want %d", r, a.status, a.body, err, status)
		}
		last = a
	}
	return last
}

// await waits for the answer with a status: a Kong without the companion does not say when its
// workers work by a configuration.
func (s *scene) await(r request, status int) {
	s.t.Helper()
	right := 0
	for deadline := time.Now().Add(3 * time.Minute); right < 8; {
		a, err := s.ask(r)
		if right++; err != nil || a.status != status {
			right = 0
			time.Sleep(20 * time.Millisecond)
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%+v: %d %.300s, %v; want %d", r, a.status, a.body, err, status)
		}
	}
}

// web is an Ingress in a namespace for a host, with further annotations, and what it leads to.
func (s *scene) web(namespace, name, host string, annotations ...string) string {
	at, port, _ := net.SplitHostPort(s.backend)
	return fmt.Sprintf(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %[2]s, namespace: %[1]s, annotations: {%[4]s}}
spec:
  ingressClassName: kong
  rules: [{host: %[3]s, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: %[2]s, port: {number: 80}}}}]}}]
---
apiVersion: v1
kind: Service
metadata: {name: %[2]s, namespace: %[1]s}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[2]s-1, namespace: %[1]s, labels: {kubernetes.io/service-name: %[2]s}}
addressType: IPv4
ports: [{name: http, port: %[6]s}]
endpoints: [{addresses: ['%[5]s'], conditions: {ready: true}}]
---
`, namespace, name, host, strings.Join(annotations, ", "), at, port)
}

func plugin(namespace, name, kind, config string) string {
	return fmt.Sprintf(`
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: %s, namespace: %s}
plugin: %s
config: %s
---
`, name, namespace, kind, config)
}
