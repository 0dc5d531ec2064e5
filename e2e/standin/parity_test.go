package standin

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// TestParity sends the same requests to Kong and to the stand-in.
func TestParity(t *testing.T) {
	reference, ours := kongtest.Start(t, kongtest.Options{}), start(t, prefixOf(t))
	proxy, err := net.ResolveTCPAddr("tcp", reference.Proxy)
	if err != nil {
		t.Fatal(err)
	}
	theirs := &harness{t: t, Gateway: &Gateway{addresses: map[string][]net.Addr{"KONG_PROXY_LISTEN": {proxy}}}, admin: reference.Admin()}
	certificate, key := pair(t, "shop.example")
	address := backend(t, "b")
	config := oneBackend(address,
		`- {name: strip, service: s, expression: http.path ^= "/strip", priority: 1}`,
		`- {name: slash, service: s, expression: http.path ^= "/slash/", priority: 1}`,
		`- {name: regex, service: s, expression: 'http.path ~ "^/items/\\d+"', priority: 2}`,
		`- {name: kept, service: s, expression: http.host == "kept.example", priority: 3, preserve_host: true, strip_path: false}`,
		`- {id: 00000000-0000-4000-8000-000000000001, name: tie1, service: s, expression: http.path == "/tie", priority: 9}`,
		`- {id: 00000000-0000-4000-8000-000000000002, name: tie2, service: s, expression: http.path ^= "/ti", priority: 9}`,
		`- {name: secure, service: s, expression: http.path == "/secure", protocols: [https]}`,
		`- {name: moved, service: s, expression: http.path == "/moved", protocols: [https], https_redirect_status_code: 308}`,
		`- {name: unserved, expression: http.path == "/unserved"}`,
		`- {name: ended, service: s, expression: http.path == "/ended", plugins: [{name: request-termination, config: {status_code: 410, message: gone}}]}`,
		`- {name: raw, service: s, expression: http.path == "/raw", plugins: [{name: request-termination, config: {status_code: 200, body: hi, content_type: text/x}}]}`,
		`- {name: refused, service: s, expression: http.path == "/refused", plugins: [{name: ip-restriction, config: {deny: ["0.0.0.0/0", "::/0"], status: 503, message: closed}}]}`,
		`- {name: bare, service: s, expression: http.path == "/bare", plugins: [{name: request-termination}]}`,
		`- {name: dead, service: d, expression: http.path == "/dead"}`,
		`- {name: empty, service: e, expression: http.path == "/empty"}`,
	)
	config = strings.Replace(config, "- {name: s, host: u, path: /}", fmt.Sprintf(`- {name: s, host: u, path: /}
- {name: e, host: empty}
- {name: d, host: 127.0.0.1, port: %s}`, strings.Split(freeport.Address(t), ":")[1]), 1)
	config = strings.Replace(config, "upstreams:", "upstreams:\n- {name: empty, targets: [{target: '127.0.0.1:1', weight: 0}]}", 1)
	for _, h := range []*harness{ours, theirs} {
		h.load(config)
	}
	reference.Eventually("Kong routes by the configuration", func() bool {
		resp, _ := theirs.get("http://x/bare")
		return resp.StatusCode == http.StatusServiceUnavailable
	})
	for _, url := range []string{
		"http://x/nowhere", "http://x/strip", "http://x/strip/", "http://x/strip/a%2Fb/%C3%A9?q=%2F&r", "http://x/strip/../strip//a",
		"http://x/slash/a", "http://x/items/42/x", "http://Kept.example/a", "http://kept.example:81/a?b", "http://x/tie",
		"http://x/secure", "http://shop.example:81/moved?a=b", "http://x/unserved", "http://x/ended", "http://x/raw", "http://x/bare", "http://x/refused",
		"http://x/dead", "http://x/empty",
		"http://shop.example:81/strip/a?show=X-Forwarded-For,X-Forwarded-Proto,X-Forwarded-Host,X-Forwarded-Path,X-Forwarded-Prefix,X-Real-Ip",
	} {
		diff := cmp.Diff(theirs.summary(url), ours.summary(url))
		// Kong makes its balancers after its router.
		for deadline := time.Now().Add(time.Minute); diff != "" && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			diff = cmp.Diff(theirs.summary(url), ours.summary(url))
		}
		if diff != "" {
			t.Errorf("%s (- Kong, + stand-in):\n%s", url, diff)
		}
	}
	compareRefusals(t, theirs, ours, certificate, key)
}

// compareRefusals sends configurations that Kong rejects.
func compareRefusals(t *testing.T, theirs, ours *harness, certificate, key string) {
	const id = "22222222-2222-4222-8222-222222222222"
	_, otherKey := pair(t, "other")
	for name, entities := range map[string]string{
		"unknown field":    `"services": [{"id": "` + id + `", "name": "s", "host": "u", "color": 1, "tags": ["a:b"]}]`,
		"missing":          `"services": [{"id": "` + id + `", "name": "s"}]`,
		"range":            `"services": [{"id": "` + id + `", "name": "s", "host": "u", "port": 65536}]`,
		"one of":           `"routes": [{"id": "` + id + `", "name": "r", "expression": "http.path == \"/\"", "https_redirect_status_code": 303}]`,
		"type":             `"routes": [{"id": "` + id + `", "name": "r", "expression": "http.path == \"/\"", "strip_path": "yes"}]`,
		"id":               `"services": [{"id": "7", "name": "s", "host": "u"}]`,
		"name":             `"services": [{"id": "` + id + `", "name": "a b", "host": "u"}]`,
		"plugin":           `"plugins": [{"id": "` + id + `", "name": "mine"}]`,
		"plugin's field":   `"plugins": [{"id": "` + id + `", "name": "request-termination", "config": {"status_code": 99, "color": 1}}]`,
		"path":             `"services": [{"id": "` + id + `", "name": "s", "host": "u", "path": "x"}]`,
		"key":              `"certificates": [{"id": "` + id + `", "cert": ` + certificate + `, "key": ` + otherKey + `}]`,
		"sni":              `"certificates": [{"id": "` + id + `", "cert": ` + certificate + `, "key": ` + key + `}], "snis": [{"id": "` + id + `", "name": "a.*.b", "certificate": "` + id + `"}]`,
		"reference":        `"routes": [{"id": "` + id + `", "name": "r", "expression": "http.path == \"/\"", "service": "nobody"}]`,
		"two names":        `"services": [{"id": "` + id + `", "name": "s", "host": "u"}, {"id": "11111111-1111-4111-8111-111111111111", "name": "s", "host": "u"}]`,
		"two ids":          `"services": [{"id": "` + id + `", "name": "s", "host": "u"}, {"id": "` + id + `", "name": "t", "host": "u"}]`,
		"unknown sort":     `"nonsense": []`,
		"target":           `"upstreams": [{"id": "` + id + `", "name": "u"}], "targets": [{"id": "` + id + `", "upstream": "` + id + `", "target": "a b:1"}]`,
		"weight":           `"upstreams": [{"id": "` + id + `", "name": "u"}], "targets": [{"id": "` + id + `", "upstream": "` + id + `", "target": "a:1", "weight": 65536}]`,
		"grpc with a path": `"services": [{"id": "` + id + `", "name": "s", "host": "u", "protocol": "grpc", "path": "/"}]`,
	} {
		theirStatus, want := theirs.post(`{"_format_version": "3.0", `+entities+`}`, "flatten_errors=1")
		status, got := ours.post(`{"_format_version": "3.0", `+entities+`}`, "flatten_errors=1")
		for _, answer := range []map[string]any{want, got} {
			delete(answer, "message") // prose about the rest
			sortErrors(answer)
		}
		if diff := cmp.Diff(want, got); diff != "" || status != theirStatus {
			t.Errorf("%s, status %d of Kong, %d of the stand-in (- Kong, + stand-in):\n%s", name, theirStatus, status, diff)
		}
	}
}

// sortErrors sorts errors and removes the entities, which kube-sync does not read.
func sortErrors(answer map[string]any) {
	list, _ := answer["flattened_errors"].([]any)
	for _, e := range list {
		entity := e.(map[string]any)
		delete(entity, "entity")
		errors, _ := entity["errors"].([]any)
		slices.SortFunc(errors, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
}

// summary returns the part of an answer that has to be the same from both.
func (h *harness) summary(url string) map[string]any {
	resp, body := h.get(url)
	s := map[string]any{"status": resp.StatusCode}
	for _, name := range []string{"Location", "Upgrade", "X-Shown"} {
		s[name] = resp.Header[name]
	}
	if resp.Header.Get("Location") == "" { // nginx has a page for those who do not follow
		s["Content-Type"] = resp.Header["Content-Type"]
		s["body"] = requestID.ReplaceAllString(body, `"request_id":"…"`)
	}
	return s
}

var requestID = regexp.MustCompile(`"request_id":"[0-9a-f]+"`)
