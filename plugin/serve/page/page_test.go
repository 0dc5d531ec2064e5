package page

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/plugin/inspect"
	"github.com/kube-sync/kube-sync/plugin/inspect/inspecttest"
)

// canary is the part of all secrets in the manifests of the test.
const canary = "canary"

const world = `
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: shop, labels: {konghq.com/credential: key-auth}}
stringData: {key: canary-credential}
---
apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: {name: alice, namespace: shop, annotations: {kubernetes.io/ingress.class: kong}}
username: alice
credentials: [key]
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: limit, namespace: shop}
plugin: rate-limiting
config: {minute: 6, policy: redis, redis: {host: redis.example, password: canary-password}}
---
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
endpoints: [{addresses: [10.1.2.3], conditions: {ready: true}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop, annotations: {konghq.com/plugins: limit}}
spec:
  ingressClassName: kong
  rules:
  - host: a.example
    http:
      paths:
      - {path: /<script>alert(1)</script>, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
      - {path: /b, pathType: Prefix, backend: {service: {name: nope, port: {number: 80}}}}
`

// newPage returns a page of a gateway that holds what the manifests make. Its Kong does not answer.
func newPage(t *testing.T) (page *httptest.Server, recorder *inspect.Recorder, routes []inspect.Row) {
	t.Helper()
	admin, err := adminapi.NewClient("unix:"+filepath.Join(t.TempDir(), "none"), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	recorder = inspect.NewRecorder()
	loop := inspecttest.Start(t, world)
	loop.Report(recorder)
	recorder.Applied(gateway.Outcome{Hash: "0123456789abcdef", Sent: true, Effective: true}, false)
	inspector := inspect.New(inspect.Options{Admin: admin, Recorder: recorder, Desk: loop.Desk, Gateway: inspect.Gateway{Pod: "gw-1", KubeSync: "test", Source: "cluster"}})
	found, err := inspector.Routes(t.Context(), "", 1)
	if err != nil || len(found.Rows) == 0 {
		t.Fatalf("%v, %d routes", err, len(found.Rows))
	}
	page = httptest.NewServer(Handler(inspector, true))
	t.Cleanup(page.Close)
	return page, recorder, found.Rows
}

func get(t *testing.T, url string) (int, string, http.Header) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body), answer.Header
}

// everyPage returns the paths of all pages and resources.
func everyPage(routes []inspect.Row) []string {
	paths := []string{"/", "/routes", "/routes?q=a.example&page=7", "/routes?q=%3Cscript%3Ecanvas", "/routes/none", "/changes", "/none", "/static/page.css", "/static/page.js", "/static/icon.svg"}
	for _, r := range routes {
		paths = append(paths, "/routes/"+r.ID)
	}
	return paths
}

// inline are scripts and styles that the content security policy would block, outside are resources and
// links to elsewhere.
var (
	inline  = regexp.MustCompile(`(?i)<script(?:>|[^>]*[^r]>[^<])|<style|\sstyle=|\son[a-z]+=|javascript:`)
	outside = regexp.MustCompile(`(?i)(?:src|href|action|url)\s*[=(]\s*["']?(?:https?:)?//`)
)

func TestEveryPage(t *testing.T) {
	page, _, routes := newPage(t)
	for _, path := range everyPage(routes) {
		status, body, header := get(t, page.URL+path)
		want := http.StatusOK
		if strings.HasSuffix(path, "/none") {
			want = http.StatusNotFound
		}
		if status != want {
			t.Errorf("%s: status %d", path, status)
		}
		for name, value := range map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if header.Get(name) != value {
				t.Errorf("%s: %s is %q", path, name, header.Get(name))
			}
		}
		if strings.Contains(body, canary) {
			t.Errorf("%s has a secret", path)
		}
		if strings.Contains(body, "<script>alert") {
			t.Errorf("%s has a script of a tenant", path)
		}
		if !strings.HasPrefix(path, "/static/") {
			if found := inline.FindString(body); found != "" {
				t.Errorf("%s has something inline: %q", path, found)
			}
		}
		if found := outside.FindString(body); found != "" {
			t.Errorf("%s refers to elsewhere: %q", path, found)
		}
	}
}

func TestThePageIsReadOnly(t *testing.T) {
	page, _, routes := newPage(t)
	for _, path := range everyPage(routes) {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
			request, err := http.NewRequestWithContext(t.Context(), method, page.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: status %d", method, path, answer.StatusCode)
			}
		}
	}
}

// A site whose name resolves to loopback cannot read the page.
func TestThePageOnLoopbackIsForLoopback(t *testing.T) {
	_, _, _ = newPage(t)
	for host, want := range map[string]int{
		"localhost": 200, "localhost:10256": 200, "LOCALHOST:1": 200, "127.0.0.1:10256": 200, "[::1]:10256": 200, "127.9.9.9": 200,
		"attacker.example": 403, "attacker.example:10256": 403, "localhost.attacker.example": 403, "10.0.0.1:10256": 403, "": 403,
	} {
		request := httptest.NewRequest(http.MethodGet, "/static/page.css", nil)
		request.Host = host
		for local, want := range map[bool]int{true: want, false: 200} {
			answer := httptest.NewRecorder()
			Handler(nil, local).ServeHTTP(answer, request)
			if answer.Code != want {
				t.Errorf("host %q, on loopback %v: status %d, want %d", host, local, answer.Code, want)
			}
		}
	}
}

func TestWhatThePageShows(t *testing.T) {
	page, recorder, routes := newPage(t)
	_, overview, _ := get(t, page.URL)
	for _, part := range []string{"In effect", "ServiceNotFound", "Service shop/nope does not exist", "spec.rules[0].http.paths[1].backend.service.name", "Create it.", "Unknown: which configuration each worker uses"} {
		if !strings.Contains(overview, part) {
			t.Errorf("the overview lacks %q", part)
		}
	}
	_, table, _ := get(t, page.URL+"/routes?q=rate-limiting")
	if n := strings.Count(table, `class="row"`); n != len(routes) || !strings.Contains(table, "shop.web.80") {
		t.Errorf("%d of %d routes have the plugin", n, len(routes))
	}
	_, table, _ = get(t, page.URL+"/routes?q=/b+a.example")
	if n := strings.Count(table, `class="row"`); n != 1 || !strings.Contains(table, "faults") {
		t.Errorf("%d routes are found", n)
	}
	for _, r := range routes {
		_, detail, _ := get(t, page.URL+"/routes/"+r.ID)
		want := "10.1.2.3:8080"
		if strings.HasPrefix(r.Paths[0], "/b") {
			want = "There are no endpoints"
		}
		if !strings.Contains(detail, want) || !strings.Contains(detail, "<svg") || !strings.Contains(detail, "KongPlugin") {
			t.Errorf("the page of %s lacks %q", r.Name, want)
		}
	}
	recorder.Failed(io.ErrUnexpectedEOF)
	if _, overview, _ = get(t, page.URL); !strings.Contains(overview, "Kong does not take the configuration") {
		t.Error("the overview does not show the failure")
	}
}

// The stream tells of a change when Kong acknowledges it, and again when it is effective.
func TestTheStreamOfChanges(t *testing.T) {
	page, recorder, _ := newPage(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("the type is %q", answer.Header.Get("Content-Type"))
	}
	recorder.Seen(nil, time.Now())
	recorder.Applied(gateway.Outcome{Hash: "2", Sent: true}, false)
	recorder.Effective(true)
	var read strings.Builder
	for buffer := make([]byte, 4096); !strings.Contains(read.String(), "effective in every worker"); {
		n, err := answer.Body.Read(buffer)
		read.Write(buffer[:n])
		if err != nil {
			t.Fatalf("%v after %q", err, read.String())
		}
	}
	if !strings.Contains(read.String(), "event: change\ndata: {\"id\":") || !strings.Contains(read.String(), "acknowledged by Kong") {
		t.Errorf("the stream is %q", read.String())
	}
}

// What to do is what the manual says.
func TestReasonsAreTheManuals(t *testing.T) {
	for reason, want := range map[string]string{
		"KongConfigurationApplyFailed": "Correct the field that Kong names.", "AnnotationIgnored": "Check its spelling in the inventory.", "Accepted": "", "Unheard": "",
	} {
		if got := advice(reason); got != want {
			t.Errorf("%s: %q, want %q", reason, got, want)
		}
	}
	if len(advices()) < 50 {
		t.Errorf("only %d reasons are read", len(advices()))
	}
}
