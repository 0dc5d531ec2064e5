package inspect_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/testcert"
	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/plugin/inspect"
	"github.com/kube-sync/kube-sync/plugin/inspect/inspecttest"
)

const objects = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{port: 8080}]
endpoints: [{addresses: [10.1.2.3], conditions: {ready: true}}, {addresses: [10.1.2.4], conditions: {ready: true}}]
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: kong}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: front-1, namespace: kong, labels: {kubernetes.io/service-name: front}}
addressType: IPv4
ports: [{port: 8000}]
endpoints: [{addresses: [10.2.0.2], conditions: {ready: false}}, {addresses: [10.2.0.1], conditions: {ready: true}}]
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: limit, namespace: shop}
plugin: rate-limiting
config: {minute: 6, policy: local}
---
apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: id, labels: {global: "true"}, annotations: {kubernetes.io/ingress.class: kong}}
plugin: correlation-id
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop, annotations: {konghq.com/plugins: limit, konghq.com/methods: "GET,PUT"}}
spec:
  ingressClassName: kong
  tls: [{hosts: [a.example, b.example], secretName: tls}]
  rules:
  - host: a.example
    http: {paths: [{path: /b, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: kong, annotations: {konghq.com/gatewayclass-unmanaged: "true"}}
spec: {controllerName: konghq.com/kic-gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec: {gatewayClassName: kong, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: split, namespace: shop}
spec:
  parentRefs: [{name: web}]
  hostnames: [split.example]
  rules:
  - backendRefs: [{name: web, port: 80, weight: 9}, {name: nope, port: 80, weight: 1}]
`

// newInspector returns an inspector of a gateway that holds what objects make. Its Kong is a server
// that answers with the given bodies, by path.
func newInspector(t *testing.T, answers map[string]string, more ...string) (*inspect.Inspector, *inspect.Recorder) {
	t.Helper()
	socket := filepath.Join(shortDir(t), "admin.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[r.URL.Path]
		if strings.HasSuffix(r.URL.Path, "/health") {
			body, ok = answers["health"]
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(body))
	})}
	t.Cleanup(func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	admin, err := adminapi.NewClient("unix:"+socket, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	recorder := inspect.NewRecorder()
	loop := inspecttest.Start(t, strings.Join(append([]string{objects}, more...), "\n---\n"))
	loop.Report(recorder)
	recorder.Applied(gateway.Outcome{Hash: "h", Sent: true, Effective: true}, false)
	return inspect.New(inspect.Options{
		Admin: admin, Recorder: recorder, Desk: loop.Desk, Own: []netip.Addr{netip.MustParseAddr("10.2.0.1")},
		Services: []types.NamespacedName{{Namespace: "kong", Name: "front"}},
	}), recorder
}

// shortDir returns a directory with a path that is short enough for a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "inspect")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

var quiet = slog.New(slog.DiscardHandler)

func routeOf(t *testing.T, i *inspect.Inspector, query string) inspect.Route {
	t.Helper()
	page, err := i.Routes(t.Context(), query, 1)
	if err != nil || len(page.Rows) != 1 {
		t.Fatalf("%q: %v, %d routes", query, err, len(page.Rows))
	}
	r, err := i.Route(t.Context(), page.Rows[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestARouteWithItsPluginsAndEndpoints(t *testing.T) {
	i, _ := newInspector(t, map[string]string{"health": `{"data":[{"target":"10.1.2.3:8080","health":"HEALTHY"},{"target":"10.1.2.4:8080","health":"UNHEALTHY"}]}`})
	r := routeOf(t, i, "A.EXAMPLE rate-limiting shop.web.80 put")
	if !slices.Equal(r.Hosts, []string{"a.example"}) || !slices.Equal(r.Paths, []string{"/b/*"}) || !slices.Equal(r.Methods, []string{"GET", "PUT"}) || r.Others != nil {
		t.Errorf("the match is %+v", r.Match)
	}
	if r.Object != (inspect.Object{Kind: "Ingress", Namespace: "shop", Name: "web"}) || !slices.Equal(r.Plugins, []string{"correlation-id", "rate-limiting"}) {
		t.Errorf("the route is %+v", r.Row)
	}
	chain := []inspect.Plugin{
		{Name: "rate-limiting", Scope: "route", Object: inspect.Object{Kind: "KongPlugin", Namespace: "shop", Name: "limit"}},
		{Name: "correlation-id", Scope: "all requests", Object: inspect.Object{Kind: "KongClusterPlugin", Name: "id"}},
	}
	if !reflect.DeepEqual(r.Chain, chain) {
		t.Errorf("the plugins are %+v", r.Chain)
	}
	backend := inspect.Backend{
		Name: "shop.web.80", Object: inspect.Object{Kind: "Service", Namespace: "shop", Name: "web"}, Protocol: "http",
		Endpoints: []inspect.Endpoint{{Address: "10.1.2.3:8080", Weight: 100, Health: "healthy"}, {Address: "10.1.2.4:8080", Weight: 100, Health: "unhealthy"}},
	}
	if len(r.Backends) == 1 {
		backend.Upstream = r.Backends[0].Upstream
	}
	if !reflect.DeepEqual(r.Backends, []inspect.Backend{backend}) || backend.Upstream == "" {
		t.Errorf("the backends are %+v", r.Backends)
	}
}

// The share of a missing backend is answered, and the service gets the rest.
func TestSharesOfARoute(t *testing.T) {
	i, _ := newInspector(t, nil)
	r := routeOf(t, i, "split.example")
	if len(r.Backends) != 2 {
		t.Fatalf("the backends are %+v", r.Backends)
	}
	service, missing := r.Backends[0], r.Backends[1]
	if service.Weight != 9 || service.Total != 10 || len(service.Endpoints) != 2 || service.Endpoints[0].Health != "" {
		t.Errorf("the service is %+v", service)
	}
	if missing.Weight != 1 || missing.Total != 10 || missing.Status != 500 || len(missing.Endpoints) != 0 {
		t.Errorf("the missing backend is %+v", missing)
	}
	if _, err := i.Route(t.Context(), "none"); !errors.Is(err, inspect.ErrNoRoute) {
		t.Errorf("a route that does not exist: %v", err)
	}
}

func TestTheStatusOfAGateway(t *testing.T) {
	pair := testcert.SelfSigned("a.example")
	secret, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": map[string]string{"name": "tls", "namespace": "shop"},
		"stringData": map[string]string{"tls.crt": pair.CertPEM(), "tls.key": pair.KeyPEM()},
	})
	if err != nil {
		t.Fatal(err)
	}
	i, _ := newInspector(t, map[string]string{
		"/kube-sync/delta":   `{"hash":"h","ready":false,"workers":2,"pids":[11,12],"effective":{"http":["h","old"],"stream":["h","h"]},"busy":[]}`,
		"/kube-sync/request": `{"version":"3.9.4"}`,
	}, string(secret))
	s := i.Status(t.Context())
	workers := []inspect.Worker{
		{Subsystem: "http", ID: 0, PID: 11, Hash: "h", Current: true}, {Subsystem: "http", ID: 1, PID: 12, Hash: "old"},
		{Subsystem: "stream", ID: 0, PID: 11, Hash: "h", Current: true}, {Subsystem: "stream", ID: 1, PID: 12, Hash: "h", Current: true},
	}
	if !reflect.DeepEqual(s.Workers, workers) {
		t.Errorf("the workers are %+v", s.Workers)
	}
	front := inspect.Object{Kind: "Service", Namespace: "kong", Name: "front"}
	replicas := []inspect.Replica{{Service: front, Address: "10.2.0.1", Ready: true, Self: true}, {Service: front, Address: "10.2.0.2"}}
	if !reflect.DeepEqual(s.Replicas, replicas) {
		t.Errorf("the replicas are %+v", s.Replicas)
	}
	if len(s.Certificates) != 1 || !slices.Equal(s.Certificates[0].ServerNames, []string{"a.example", "b.example"}) ||
		s.Certificates[0].Object != (inspect.Object{Kind: "Secret", Namespace: "shop", Name: "tls"}) || !s.Certificates[0].NotAfter.Equal(pair.Certificate.NotAfter) {
		t.Errorf("the certificates are %+v", s.Certificates)
	}
	if s.Gateway.Kong != "3.9.4" || len(s.Unknown) != 0 {
		t.Errorf("the gateway is %+v, and unknown %q", s.Gateway, s.Unknown)
	}
	text, err := json.Marshal(s)
	if err != nil || strings.Contains(string(text), "PRIVATE KEY") {
		t.Errorf("%v, or the status has a key", err)
	}
}

// The catalog is that of the last apply, and of the one before it while the loop is busy.
func TestTheCatalogWhileTheLoopIsBusy(t *testing.T) {
	recorder, desk := inspect.NewRecorder(), inspect.NewDesk()
	i := inspect.New(inspect.Options{Recorder: recorder, Desk: desk})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := i.Routes(ctx, "", 1); !errors.Is(err, inspect.ErrBusy) {
		t.Errorf("before the loop runs: %v", err)
	}
	loop := inspecttest.Start(t, objects)
	answered := make(chan struct{})
	go func() {
		question := <-desk.Questions()
		question(loop)
		close(answered)
	}()
	page, err := i.Routes(t.Context(), "", 1)
	if <-answered; err != nil || page.Stale || page.All == 0 {
		t.Fatalf("%v, %+v", err, page)
	}
	if again, err := i.Routes(t.Context(), "", 1); err != nil || again.Stale { // without a question
		t.Errorf("%v, %+v", err, again)
	}
	recorder.Applied(gateway.Outcome{Hash: "2"}, false)
	if busy, err := i.Routes(t.Context(), "", 1); err != nil || !busy.Stale || busy.All != page.All {
		t.Errorf("while the loop is busy: %v, %+v", err, busy)
	}
}

// A question that panics does not end the loop.
func TestAQuestionThatPanics(t *testing.T) {
	loop := inspecttest.Start(t, objects)
	if err := loop.Desk.Ask(t.Context(), func(inspect.State) { panic("a fault") }); err == nil || !strings.Contains(err.Error(), "a fault") {
		t.Errorf("the error is %v", err)
	}
	if err := loop.Desk.Ask(t.Context(), func(inspect.State) {}); err != nil {
		t.Errorf("the next question: %v", err)
	}
}

// Only the user that Kong runs as reaches the socket, which answers GET only.
func TestTheSocket(t *testing.T) {
	i, recorder := newInspector(t, nil)
	prefix := shortDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- i.Serve(ctx, prefix, quiet) }()
	client := inspect.NewClient(prefix)
	eventually.Nil(t, 10*time.Second, func() error { _, err := client.Status(t.Context()); return err })
	for path, mode := range map[string]os.FileMode{inspect.SocketPath(prefix): 0o600, filepath.Dir(inspect.SocketPath(prefix)): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	if err := client.AwaitEffective(t.Context(), time.Minute); err != nil {
		t.Errorf("a gateway in which everything is effective: %v", err)
	}
	recorder.Effective(false)
	if err := client.AwaitEffective(t.Context(), time.Millisecond); err == nil || !strings.Contains(err.Error(), "older configuration") {
		t.Errorf("a gateway whose workers lag: %v", err)
	}
	if err := client.Get(t.Context(), "/routes/none", nil, nil); err == nil || err.Error() != inspect.ErrNoRoute.Error() {
		t.Errorf("no route: %v", err)
	}
	post, err := (&http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", inspect.SocketPath(prefix))
	}}}).Post("http://kube-sync/status", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if post.Body.Close(); post.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %s", post.Status)
	}

	// A successor takes the path, and keeps it when its predecessor ends.
	successor, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _ = i.Serve(successor, prefix, quiet) }()
	first, err := os.Stat(inspect.SocketPath(prefix))
	if err != nil {
		t.Fatal(err)
	}
	eventually.True(t, 10*time.Second, "the successor's socket", func() bool {
		now, err := os.Stat(inspect.SocketPath(prefix))
		return err == nil && !os.SameFile(first, now)
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	eventually.Nil(t, 10*time.Second, func() error { _, err := client.Status(t.Context()); return err })
}
