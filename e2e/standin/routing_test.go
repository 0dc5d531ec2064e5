package standin

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// oneBackend returns a configuration in which all given routes lead to one address.
func oneBackend(address string, routes ...string) string {
	return fmt.Sprintf(`
_format_version: "3.0"
services:
- {name: s, host: u, path: /}
upstreams:
- {name: u, targets: [{target: "%s"}]}
routes:
%s`, address, strings.Join(routes, "\n"))
}

func TestRouting(t *testing.T) {
	h := start(t, prefixOf(t))
	address := backend(t, "b")
	h.load(oneBackend(address,
		`- {name: low, service: s, expression: http.path ^= "/", priority: 1, strip_path: false}`,
		`- {name: high, service: s, expression: http.path ^= "/a", priority: 2}`,
		`- {name: host, service: s, expression: http.host == "kept.example", priority: 3, preserve_host: true}`,
		`- {id: 00000000-0000-4000-8000-000000000001, name: tie1, service: s, expression: http.path == "/tie", priority: 9}`,
		`- {id: 00000000-0000-4000-8000-000000000002, name: tie2, service: s, expression: http.path ^= "/ti", priority: 9}`,
		`- {name: plain, service: s, expression: http.path == "/plain", priority: 9, protocols: [http], strip_path: false}`,
	))
	for url, want := range map[string]string{
		"http://x/b?q=1&q=%2F":    "b " + address + " /b?q=1&q=%2F ",
		"http://x/a/b":            "b " + address + " /b ",
		"http://kept.example:7/b": "b kept.example:7 /b ",
		"http://x/tie":            "b " + address + " /e ", // the higher id wins
		"http://x/b%2Fc/%C3%A9":   "b " + address + " /b%2Fc/%C3%A9 ",
		"http://x/plain":          "b " + address + " /plain ",
	} {
		if _, body := h.get(url); body != want {
			t.Errorf("%s: got %q, expected %q", url, body, want)
		}
	}
}

func TestForwardedHeaders(t *testing.T) {
	h := start(t, prefixOf(t))
	h.load(oneBackend(backend(t, "b"), `- {name: r, service: s, expression: http.path ^= "/a"}`))
	names := "X-Forwarded-For,X-Forwarded-Proto,X-Forwarded-Host,X-Forwarded-Path,X-Forwarded-Prefix,X-Real-Ip,Via"
	resp, _ := h.get("http://Shop.example:81/a/b?show=" + names)
	want := []string{"127.0.0.1", "http", "shop.example", "/a/b", "/a", "127.0.0.1", "1.1 kube-sync-standin/3.9.3"}
	if diff := cmp.Diff(want, resp.Header["X-Shown"]); diff != "" {
		t.Error(diff)
	}
	if via := resp.Header.Get("Via"); via != "1.1 kube-sync-standin/3.9.3" {
		t.Errorf("Via %q does not say that this is not Kong", via)
	}
}

func TestAnswersOfTheGateway(t *testing.T) {
	h := start(t, prefixOf(t))
	h.load(oneBackend(freeport.Address(t),
		`- {name: dead, service: s, expression: http.path == "/dead"}`,
		`- {name: secure, service: s, expression: http.path == "/secure", protocols: [https]}`,
		`- {name: moved, service: s, expression: http.path == "/moved", protocols: [https], https_redirect_status_code: 308}`,
		`- {name: unserved, expression: http.path == "/unserved"}`,
		`- {name: guarded, service: s, expression: http.path == "/guarded", plugins: [{name: key-auth}]}`,
		`- {name: ended, expression: http.path == "/ended", plugins: [{name: request-termination, config: {status_code: 410, message: gone}}]}`,
		`- {name: several, service: s, expression: http.path == "/several", plugins: [{name: rate-limiting}, {name: cors}]}`,
		`- {name: refused, service: s, expression: http.path == "/refused", plugins: [{name: ip-restriction, config: {deny: ["0.0.0.0/0", "::/0"], status: 503, message: closed}}]}`,
		`- {name: restricted, service: s, expression: http.path == "/restricted", plugins: [{name: ip-restriction, config: {deny: ["10.0.0.0/8"], status: 503, message: closed}}]}`,
		`- {name: raw, expression: http.path == "/raw", plugins: [{name: request-termination, config: {status_code: 200, body: hi, content_type: text/x}}]}`,
	))
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/nowhere":    {404, `"message":"no Route matched with those values"`},
		"/dead":       {502, `"message":"An invalid response was received from the upstream server"`},
		"/secure":     {426, `"message":"Please use HTTPS protocol"`},
		"/moved":      {308, ``},
		"/unserved":   {503, `"message":"no Service found with those values"`},
		"/guarded":    {501, `key-auth`},
		"/several":    {501, `plugin cors, rate-limiting: use Kong`},
		"/refused":    {503, `"message":"closed"`},
		"/restricted": {501, `ip-restriction`},
		"/ended":      {410, `{"message":"gone"}`},
		"/raw":        {200, `hi`},
	} {
		resp, body := h.get("http://shop.example" + path)
		if resp.StatusCode != want.status || !strings.Contains(body, want.body) {
			t.Errorf("%s: got %d %s, expected %d %s", path, resp.StatusCode, body, want.status, want.body)
		}
		if server := resp.Header.Get("Server"); server != "kube-sync-standin/3.9.3" {
			t.Errorf("%s: Server %q", path, server)
		}
		if path == "/moved" && resp.Header.Get("Location") != "https://shop.example/moved" {
			t.Errorf("redirected to %q", resp.Header.Get("Location"))
		}
	}
}

func TestUpstreamWithoutTargets(t *testing.T) {
	h := start(t, prefixOf(t))
	h.load(`
_format_version: "3.0"
services: [{name: s, host: u}]
upstreams: [{name: u, targets: [{target: "127.0.0.1:1", weight: 0}]}]
routes: [{name: r, service: s, expression: http.path ^= "/"}]`)
	resp, body := h.get("http://x/")
	if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "failure to get a peer from the ring-balancer") {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
}

func TestWeightsAndRetries(t *testing.T) {
	h := start(t, prefixOf(t))
	h.load(fmt.Sprintf(`
_format_version: "3.0"
services: [{name: s, host: u}]
upstreams: [{name: u, targets: [{target: "%s", weight: 30}, {target: "%s", weight: 10}, {target: "%s", weight: 60}]}]
routes: [{name: r, service: s, expression: http.path ^= "/"}]`, backend(t, "a"), backend(t, "b"), freeport.Address(t)))
	count := map[string]int{}
	for range 40 {
		resp, body := h.get("http://x/")
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("got %d %s although two targets are available", resp.StatusCode, body)
		}
		count[resp.Header.Get("X-Backend")]++
	}
	// Retries shift the shares a little, in Kong too.
	if count["a"] <= count["b"] || count["b"] == 0 {
		t.Errorf("with the weights 30 and 10, the targets got %v", count)
	}
}

func TestBodySurvivesARetry(t *testing.T) {
	h := start(t, prefixOf(t))
	h.load(fmt.Sprintf(`
_format_version: "3.0"
services: [{name: s, host: u}]
upstreams: [{name: u, targets: [{target: "%s"}, {target: "%s"}]}]
routes: [{name: r, service: s, expression: http.path ^= "/"}]`, freeport.Address(t), backend(t, "b")))
	for range 4 {
		resp, err := http.Post("http://"+h.plain()+"/", "text/plain", strings.NewReader("the body"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.HasSuffix(string(body), " / the body") {
			t.Errorf("status %d: %s, %v", resp.StatusCode, body, err)
		}
	}
}
