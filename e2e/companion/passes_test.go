package companion

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A request through a backend that leads back to the gateway is stopped after a few passes. Gateways in a row
// still work.
func TestCircles(t *testing.T) {
	k, backend := examining(t)
	var passed atomic.Int32
	target, err := url.Parse(fmt.Sprintf("http://127.0.0.1:%d", k.proxy))
	if err != nil {
		t.Fatal(err)
	}
	between := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		passed.Add(1)
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, r.In.Host
	}})
	defer between.Close()
	c := config{}
	c.route("shop.test", backend.port)
	c.route("circle.test", between.Listener.Addr().(*net.TCPAddr).Port)
	// The owner of the route may remove the header that counts passes, and add others.
	c.plugin("circle.test", "request-transformer", entity{"remove": entity{"headers": []string{"Via"}}, "replace": entity{"headers": []string{"Via:1.1 none"}}})
	k.load(c)
	begun := time.Now()
	answers := k.wire(lines("GET / HTTP/1.1", "Host: circle.test", "Connection: close, Via"))
	if got := statuses(answers); !slices.Equal(got, []int{http.StatusLoopDetected}) {
		t.Errorf("the answers are %v", got)
	}
	if got := passed.Load(); got != 5 {
		t.Errorf("the request went through the backend %d times", got)
	}
	t.Logf("%d passes took %s", passed.Load(), time.Since(begun).Round(time.Millisecond))
	for via, status := range map[string]int{
		"1.1 kong/3.9.3":                               200,
		strings.Repeat("1.1 kong/3.9.3, ", 4):          200,
		strings.Repeat("1.1 Kong/3.9.3,", 5):           508,
		strings.Repeat("1.1 squid/6, ", 20):            200,
		strings.Repeat("1.1 kong/3.9.3.0-custom, ", 5): 508,
	} {
		if got := statuses(k.wire(lines("GET / HTTP/1.1", "Host: shop.test", "Connection: close", "Via: "+strings.TrimRight(via, ", ")))); !slices.Equal(got, []int{status}) {
			t.Errorf("Via: %s: %v", via, got)
		}
	}
	if got := statuses(k.wire(lines("GET / HTTP/1.1", "Host: shop.test", "Connection: close", "Via: 1.1 kong/a, 1.1 kong/b", "Via: 1.1 kong/c, 2 kong/d, 2 kong/e"))); !slices.Equal(got, []int{508}) {
		t.Errorf("over two lines: %v", got)
	}
}

// The setting is the worker's own.
func TestCirclesOfOne(t *testing.T) {
	k, _ := examining(t, "KONG_PLUGINSERVER_KUBE_SYNC_MAX_KONG_HOPS=1")
	for via, status := range map[string]int{"1.1 kong/3.9.3": 508, "1.1 other": 200} {
		if got := statuses(k.wire(lines("GET / HTTP/1.1", "Host: shop.test", "Connection: close", "Via: "+via))); !slices.Equal(got, []int{status}) {
			t.Errorf("Via: %s: %v", via, got)
		}
	}
}

// The key that names the rule for the relay is in no header that a plugin reads and in no log. It is the last
// header to the relay, whatever a client sends.
func TestRelayKeyIsNotLogged(t *testing.T) {
	const key = "0123456789abcdef"
	k, relay := examining(t, "KONG_PROXY_ACCESS_LOG=logs/access.log", "KONG_LOG_LEVEL=debug")
	logs := make(chan string, 10)
	logger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		entry, _ := io.ReadAll(q.Body)
		logs <- string(entry)
	}))
	defer logger.Close()
	c := config{}
	c.route("shop.test", relay.port)
	c.plugin("shop.test", "kube-sync-http", entity{"relay": key})
	c.plugin("shop.test", "http-log", entity{"http_endpoint": logger.URL, "queue": entity{"max_coalescing_delay": 0}})
	c.plugin("shop.test", "post-function", entity{
		"access":        []string{`kong.ctx.shared.seen = require("cjson").encode((ngx.req.get_headers())) .. tostring(ngx.var.http_via)`},
		"header_filter": []string{`ngx.header["X-Seen"] = kong.ctx.shared.seen .. require("cjson").encode((ngx.req.get_headers()))`},
	})
	k.load(c)
	for _, via := range []string{"", "1.1 forged"} {
		headers := []string{"GET / HTTP/1.1", "Host: shop.test", "Connection: close"}
		if via != "" {
			headers = append(headers, "Via: "+via)
		}
		answers := k.wire(lines(headers...))
		if got := statuses(answers); !slices.Equal(got, []int{200}) {
			t.Fatal(got)
		}
		if seen := answers[0].Header.Get("X-Seen"); seen == "" || strings.Contains(seen, key) {
			t.Errorf("a plugin sees %q", seen)
		}
		sent := relay.take()
		if got := strings.Split(sent[0].Header.Get("Via"), ", "); len(sent) != 1 || got[len(got)-1] != "1.1 "+key || via != "" && got[0] != via {
			t.Errorf("the relay is sent %q", sent[0].head)
		}
		select {
		case entry := <-logs:
			if !json.Valid([]byte(entry)) || !strings.Contains(entry, "shop.test") || strings.Contains(entry, key) {
				t.Errorf("the log entry is %s", entry)
			}
		case <-time.After(answersWithin):
			t.Fatal("there is no log entry")
		}
	}
	if log := k.file("logs/access.log") + k.file("logs/error.log"); !strings.Contains(log, "GET / HTTP/1.1") || strings.Contains(log, key) {
		t.Error("nginx's logs lack the requests, or have the key")
	}
}
