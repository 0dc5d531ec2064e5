package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// Features of Gateway API that are written in Lua, by the names of the conformance tests.
func TestGatewayFilters(t *testing.T) {
	cp, gw := gatewayAPI(t)
	kongKinds(t, cp)
	t.Run("HTTPRouteRequestHeaderModifierBackendWeights", func(t *testing.T) { testBackendFilters(t, cp, gw) })
	t.Run("HTTPRouteCORS", func(t *testing.T) { testCORS(t, cp, gw) })
	t.Run("HTTPRouteBackendProtocolH2C", func(t *testing.T) { testH2C(t, cp, gw) })
}

// A request gets the filters of its backend, and not those of others.
func testBackendFilters(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	backend := func(name string, weight int) string {
		return fmt.Sprintf(`
    - name: %[1]s
      port: 80
      weight: %[2]d
      filters:
      - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Backend, value: %[1]s}, {name: Both, value: backend}]}}
      - {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: X-Backend, value: %[1]s}]}}`, name, weight)
	}
	cp.MustApply(t, ns, plainGateway+deployment("one", 1)+deployment("two", 2)+httpRoute("weights", `
  hostnames: [`+host+`]
  rules:
  - filters:
    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Rule, value: rule}, {name: Both, value: rule}]}}
    backendRefs:`+backend("one", 3)+backend("two", 1)+`
  - matches: [{path: {value: /gone}}]
    backendRefs: [{name: gone, port: 80}, {name: gone, port: 80, filters: [{type: URLRewrite, urlRewrite: {hostname: other.example}}]}]
`))
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)
	wantAllPods(t, gw, host, "/", 3)
	const n = 400
	eventually.Nil(t, time.Minute, func() error { // the last endpoint may not be in all workers yet
		shares := map[string]int{}
		for range n {
			e, err := askGateway(gw, "GET", host, "/")
			if err != nil {
				return err
			}
			name, _, _ := strings.Cut(e.Pod, "-")
			shares[name]++
			got := fmt.Sprint(e.StatusCode, e.Headers["Backend"], e.Headers["Rule"], e.Headers["Both"], e.Header["X-Backend"])
			if want := fmt.Sprintf("200 [%[1]s] [rule] [backend] [%[1]s]", name); got != want {
				t.Fatalf("%s has %s, want %s", e.Pod, got, want)
			}
		}
		t.Logf("of %d requests: %v", n, shares)
		// Six standard deviations of a draw with three of four.
		if one := shares["one"]; one < 248 || one > 352 {
			return fmt.Errorf("a backend with 3 of 4 got %d of %d requests", one, n)
		}
		return nil
	})
	wantStatus(t, gw.HTTP, host, "/gone", http.StatusInternalServerError)
}

// Preflights are answered before authentication. All other answers have CORS headers, whatever the backend's.
func testCORS(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	rule := func(path, cors string) string {
		return `
  - matches: [{path: {value: ` + path + `}}]
    filters: [{type: CORS, cors: {` + cors + `}}]
    backendRefs: [{name: web, port: 80}]`
	}
	cp.MustApply(t, ns, plainGateway+deployment("web", 1)+kongPlugin("auth", "key-auth", "{}")+"---"+httpRoute("cors", `
  hostnames: [`+host+`]
  rules:`+rule("/some", `allowOrigins: ["https://www.foo.com:443", "https://*.bar.com"], allowMethods: [GET, OPTIONS], allowHeaders: [x-a, x-b],
      exposeHeaders: ["*"], allowCredentials: true, maxAge: 3600`)+
		rule("/any", `allowOrigins: ["*"], allowMethods: ["*"], allowHeaders: ["*"], exposeHeaders: ["*"]`)+
		rule("/all", `allowOrigins: ["*"], allowMethods: ["*"], allowHeaders: ["*"], allowCredentials: true`)+`
  - matches: [{path: {value: /auth}}]
    filters: [{type: CORS, cors: {allowOrigins: ["*"]}}, {type: ExtensionRef, extensionRef: {group: configuration.konghq.com, kind: KongPlugin, name: auth}}]
    backendRefs: [{name: web, port: 80}]
`))
	wantStatus(t, gw.HTTP, host, "/auth", http.StatusUnauthorized)
	wantStatus(t, gw.HTTP, host, "/some", http.StatusOK) // which needs an endpoint
	// Status, origin, credentials, exposed, methods, headers, age, vary.
	for _, c := range []struct{ method, path, origin, want string }{
		{"OPTIONS", "/some", "https://www.foo.com", "204 [https://www.foo.com] [true] [all] [GET, OPTIONS] [x-a, x-b] [3600] [Origin]"},
		{"OPTIONS", "/some", "https://a.b.bar.com", "204 [https://a.b.bar.com] [true] [all] [GET, OPTIONS] [x-a, x-b] [3600] [Origin]"},
		{"OPTIONS", "/some", "https://bar.com", "403 [] [] [] [] [] [] [Origin]"},
		{"OPTIONS", "/some", "https://.bar.com", "403 [] [] [] [] [] [] [Origin]"},
		{"OPTIONS", "/some", "https://evil.com:1.bar.com", "403 [] [] [] [] [] [] [Origin]"},
		{"OPTIONS", "/some", "http://www.foo.com", "403 [] [] [] [] [] [] [Origin]"},
		{"GET", "/some", "https://www.foo.com", "200 [https://www.foo.com] [true] [all] [] [] [] [Origin]"},
		{"GET", "/some", "https://www.foo.com.evil", "200 [] [] [] [] [] [] [Origin]"},
		{"GET", "/some", "", "200 [] [] [] [] [] [] [Origin]"},
		{"OPTIONS", "/any", "null", "204 [*] [] [*] [PUT] [x-c] [5] []"},
		{"PUT", "/any", "https://x.example:1234", "200 [*] [] [*] [] [] [] []"},
		{"OPTIONS", "/all", "https://x.example:1234", "204 [https://x.example:1234] [true] [] [PUT] [x-c] [5] [Origin]"},
		{"OPTIONS", "/auth", "https://x.example", "204 [*] [] [] [] [] [5] []"},
		{"GET", "/auth", "https://x.example", "401 [*] [] [] [] [] [] []"},
	} {
		headers := []string{"Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "x-c"}
		if c.origin != "" {
			headers = append(headers, "Origin", c.origin)
		}
		e, err := askGateway(gw, c.method, host, c.path+"?header=Access-Control-Allow-Origin:evil", headers...)
		if err != nil {
			t.Fatal(err)
		}
		h := func(name string) []string { return e.Header["Access-Control-"+name] }
		expose := h("Expose-Headers")
		if len(expose) == 1 && strings.Contains(expose[0], "vary") {
			expose = []string{"all"}
		}
		got := fmt.Sprint(e.StatusCode, h("Allow-Origin"), h("Allow-Credentials"), expose, h("Allow-Methods"), h("Allow-Headers"), h("Max-Age"), e.Header["Vary"])
		if got != c.want {
			t.Errorf("%s %s from %q: %s, want %s", c.method, c.path, c.origin, got, c.want)
		}
	}
}

// A backend without TLS gets HTTP/2 if its Service says so, from clients of either version. Bodies, rewrites
// and statuses work as with HTTP/1.1.
func testH2C(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	app := strings.Replace(deployment("web", 1), "targetPort: 8080}", "targetPort: 8080, appProtocol: kubernetes.io/h2c}", 1)
	cp.MustApply(t, ns, plainGateway+app+httpRoute("h2c", `
  hostnames: [`+host+`]
  rules:
  - {backendRefs: [{name: web, port: 80}]}
  - matches: [{path: {value: /old}}]
    filters: [{type: URLRewrite, urlRewrite: {hostname: other.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}}}]
    backendRefs: [{name: web, port: 80}]
`))
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/a%20b?c", "200 HTTP/2.0 GET " + host + " /a%20b c"},
		{"PUT", "/old/x%20y+%25?a=b%20c", "200 HTTP/2.0 PUT other.example /new/x%20y+%25 a=b%20c"},
		{"DELETE", "/?status=404", "404 HTTP/2.0 DELETE " + host + " / status=404"},
		{"HEAD", "/", "200     "},
	} {
		e, err := askGateway(gw, c.method, host, c.path)
		if err != nil {
			t.Fatal(err)
		}
		if length := e.Headers["Content-Length"]; length != nil {
			t.Errorf("%s %s has the length %v, and an end of its own that a quick backend refuses", c.method, c.path, length)
		}
		if got := fmt.Sprint(e.StatusCode, " ", e.Protocol, " ", e.Method, " ", e.Host, " ", e.Path, " ", e.Query); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.method, c.path, got, c.want)
		}
	}
}
