package companion

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// withRequests are the settings of a Kong that examines requests.
var withRequests = []string{"KONG_PLUGINS=bundled,kube-sync-delta,kube-sync-request,kube-sync-http", "KONG_STREAM_LISTEN=off"}

// examining starts a Kong that examines requests, with routes to a recorder: one for the host
// shop.test, whose plugin sets headers, and one for all other hosts.
func examining(t *testing.T, more ...string) (*kong, *recorder) {
	t.Helper()
	k, backend := start(t, append(slices.Clone(withRequests), more...)...), startRecorder(t)
	c := config{}
	c.route("shop.test", backend.port)
	c.plugin("shop.test", "request-transformer", entity{"add": entity{"headers": []string{"X-Trust:yes", "X-Route:shop"}},
		"replace": entity{"headers": []string{"X-Trust:yes"}}})
	c.route(everybody, backend.port)
	k.load(c)
	return k, backend
}

// If Connection names a header that frames the body, Kong 3.9.3 loses the length of the body and reads
// it as the next request (CVE-2026-6338). No part of such a request may reach a backend.
func TestConnectionThatNamesFraming(t *testing.T) {
	k, backend := examining(t)
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n"
	for name, connection := range map[string][]string{
		"length":            {"Connection: Content-Length"},
		"small letters":     {"connection: content-length"},
		"in a list":         {"Connection: keep-alive, Content-Length"},
		"in a list, first":  {"Connection: Content-Length, keep-alive"},
		"without spaces":    {"Connection: close,CONTENT-LENGTH,x"},
		"spaces and tabs":   {"Connection: keep-alive ,\t Content-Length \t"},
		"empty elements":    {"Connection: ,, ,Content-Length,,"},
		"quoted":            {`Connection: "Content-Length"`},
		"two lines":         {"Connection: keep-alive", "Connection: Content-Length"},
		"two lines, first":  {"Connection: Content-Length", "Connection: keep-alive"},
		"transfer encoding": {"Connection: Transfer-Encoding"},
		"host":              {"Connection: keep-alive, Host"},
	} {
		t.Run(name, func(t *testing.T) {
			body := []string{fmt.Sprintf("Content-Length: %d", len(smuggled))}
			content := smuggled
			if name == "transfer encoding" {
				body, content = []string{"Transfer-Encoding: chunked"}, fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled)
			}
			head := lines(slices.Concat([]string{"POST /first HTTP/1.1", "Host: shop.test"}, connection, body)...)
			answers := k.wire(head + content)
			if got := statuses(answers); !slices.Equal(got, []int{400}) {
				t.Errorf("the answers are %v", got)
			}
			if seen := backend.take(); len(seen) != 0 {
				t.Errorf("a backend is sent %q", seen[0].head)
			}
		})
	}
	for name, head := range map[string]string{
		"without Connection": lines("POST /first HTTP/1.1", "Host: shop.test", fmt.Sprintf("Content-Length: %d", len(smuggled))),
		"keep-alive":         lines("POST /first HTTP/1.1", "Host: shop.test", "Connection: keep-alive", fmt.Sprintf("Content-Length: %d", len(smuggled))),
		"another header":     lines("POST /first HTTP/1.1", "Host: shop.test", "Connection: X-Content-Length", fmt.Sprintf("Content-Length: %d", len(smuggled))),
	} {
		answers := k.wire(head + smuggled)
		seen := backend.take()
		if got := statuses(answers); !slices.Equal(got, []int{200}) || len(seen) != 1 || seen[0].body != smuggled {
			t.Errorf("%s: %v %+v", name, got, seen)
		}
	}
}

// A client's Connection removes its own headers, and none that a plugin or a filter sets.
func TestConnectionThatNamesHeadersOfPlugins(t *testing.T) {
	k, backend := examining(t)
	for name, c := range map[string]struct {
		headers []string
		trust   string
		own     string
	}{
		"nothing":                         {nil, "yes", ""},
		"the client's own":                {[]string{"Connection: X-Own", "X-Own: mine"}, "yes", ""},
		"none":                            {[]string{"Connection: close", "X-Own: mine"}, "yes", "mine"},
		"a plugin's":                      {[]string{"Connection: close, X-Trust"}, "yes", ""},
		"a plugin's, alone":               {[]string{"Connection: X-Trust"}, "yes", ""},
		"a plugin's, in small letters":    {[]string{"Connection: close, x-trust"}, "yes", ""},
		"a plugin's, on a second line":    {[]string{"Connection: close", "Connection: X-Trust"}, "yes", ""},
		"one that both have":              {[]string{"Connection: close, X-Trust", "X-Trust: forged"}, "yes", ""},
		"a header that a proxy would set": {[]string{"Connection: close, X-Forwarded-For, X-Real-IP, X-Forwarded-Host"}, "yes", ""},
	} {
		answers := k.wire(lines(slices.Concat([]string{"GET / HTTP/1.1", "Host: shop.test"}, c.headers)...))
		seen := backend.take()
		if got := statuses(answers); !slices.Equal(got, []int{200}) || len(seen) != 1 {
			t.Errorf("%s: answers %v, the backend is sent %d requests", name, got, len(seen))
			continue
		}
		h := seen[0].Header
		if got := strings.Join(h["X-Trust"], "|"); got != c.trust {
			t.Errorf("%s: the backend is sent X-Trust: %s", name, got)
		}
		if got := h.Get("X-Own"); got != c.own {
			t.Errorf("%s: the backend is sent X-Own: %s", name, got)
		}
		for header, want := range map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1", "X-Forwarded-Host": "shop.test", "X-Route": "shop"} {
			if got := h.Get(header); got != want {
				t.Errorf("%s: the backend is sent %s: %q", name, header, got)
			}
		}
	}
	// A trusted proxy in front says who the client is. A client cannot remove that.
	k.wire(lines("GET / HTTP/1.1", "Host: shop.test", "Connection: close, X-Forwarded-For", "X-Forwarded-For: 192.0.2.7"))
	if seen := backend.take(); len(seen) != 1 || seen[0].Header.Get("X-Forwarded-For") != "192.0.2.7, 127.0.0.1" {
		t.Errorf("%+v", seen)
	}
}

// Kong routes by one host, which is the same in the target, in Host and in the headers for backends.
func TestHosts(t *testing.T) {
	k, backend := examining(t)
	for name, c := range map[string]struct {
		request   []string
		status    int
		route     string // that of shop.test, or "" for the other
		host      string
		forwarded string
	}{
		"plain":                         {[]string{"GET /a HTTP/1.1", "Host: shop.test"}, 200, "shop", "shop.test", "shop.test"},
		"another":                       {[]string{"GET /a HTTP/1.1", "Host: other.test"}, 200, "", "other.test", "other.test"},
		"a port":                        {[]string{"GET /a HTTP/1.1", "Host: shop.test:8080"}, 200, "shop", "shop.test:8080", "shop.test"},
		"capital letters":               {[]string{"GET /a HTTP/1.1", "Host: Shop.TEST"}, 200, "shop", "Shop.TEST", "shop.test"},
		"a dot at the end":              {[]string{"GET /a HTTP/1.1", "Host: shop.test."}, 200, "shop", "shop.test", "shop.test"},
		"a dot and a port":              {[]string{"GET /a HTTP/1.1", "Host: SHOP.test.:80"}, 200, "shop", "SHOP.test:80", "shop.test"},
		"a URL for the same":            {[]string{"GET http://shop.test/a HTTP/1.1", "Host: shop.test"}, 200, "shop", "shop.test", "shop.test"},
		"a URL for another":             {[]string{"GET http://evil.test/a HTTP/1.1", "Host: shop.test"}, 200, "", "evil.test", "evil.test"},
		"a URL for the victim":          {[]string{"GET http://shop.test/a HTTP/1.1", "Host: evil.test"}, 200, "shop", "shop.test", "shop.test"},
		"a URL with a port":             {[]string{"GET http://SHOP.test.:81/a HTTP/1.1", "Host: evil.test"}, 200, "shop", "SHOP.test:81", "shop.test"},
		"a URL in HTTP/1.0":             {[]string{"GET http://shop.test/a HTTP/1.0", "Host: evil.test"}, 200, "shop", "shop.test", "shop.test"},
		"a URL and no Host in HTTP/1.0": {[]string{"GET http://shop.test/a HTTP/1.0"}, 200, "shop", "shop.test", "shop.test"},
		"a query that has a URL":        {[]string{"GET /a?u=http://evil.test/ HTTP/1.1", "Host: shop.test"}, 200, "shop", "shop.test", "shop.test"},
		"an IPv6 address":               {[]string{"GET /a HTTP/1.1", "Host: [2001:db8::1]:80"}, 200, "", "[2001:db8::1]:80", "[2001:db8::1]"},
		"two lines":                     {[]string{"GET /a HTTP/1.1", "Host: shop.test", "Host: evil.test"}, 400, "", "", ""},
		"a port that is none":           {[]string{"GET /a HTTP/1.1", "Host: shop.test:80@evil.test"}, 400, "", "", ""},
		"two dots at the end":           {[]string{"GET /a HTTP/1.1", "Host: shop.test.."}, 400, "", "", ""},
		"a path":                        {[]string{"GET /a HTTP/1.1", "Host: shop.test/evil"}, 400, "", "", ""},
		"a space":                       {[]string{"GET /a HTTP/1.1", "Host: shop.test evil.test"}, 400, "", "", ""},
		"nothing":                       {[]string{"GET /a HTTP/1.1"}, 400, "", "", ""},
		"a URL with a user":             {[]string{"GET http://shop.test@evil.test/a HTTP/1.1", "Host: shop.test"}, 400, "", "", ""},
		"a comma":                       {[]string{"GET /a HTTP/1.1", "Host: shop.test,evil.test"}, 200, "", "shop.test,evil.test", "shop.test,evil.test"},
	} {
		answers := k.wire(lines(append(c.request, "Connection: close")...))
		seen := backend.take()
		if got := statuses(answers); !slices.Equal(got, []int{c.status}) || (c.status == 200) != (len(seen) == 1) {
			t.Errorf("%s: answers %v, the backend is sent %d requests", name, got, len(seen))
			continue
		}
		if c.status != 200 {
			continue
		}
		got := []string{seen[0].Header.Get("X-Route"), seen[0].Host, seen[0].Header.Get("X-Forwarded-Host")}
		if want := []string{c.route, c.host, c.forwarded}; !slices.Equal(got, want) {
			t.Errorf("%s: route, Host and X-Forwarded-Host are %q, not %q", name, got, want)
		}
	}
}

// routeOf returns the route of the first request.
func routeOf(seen []received) string {
	if len(seen) == 0 {
		return "none"
	}
	return seen[0].Header.Get("X-Route")
}

// A client cannot hide a header behind so many others that Kong does not read it.
func TestTooManyHeaders(t *testing.T) {
	k, backend := examining(t)
	request := func(before int) string {
		all := []string{"GET / HTTP/1.1"}
		for i := range before {
			all = append(all, fmt.Sprintf("X-%d: %d", i, i))
		}
		return lines(append(all, "Host: shop.test", "Connection: close")...)
	}
	for before, status := range map[int]int{10: 200, 90: 200, 98: 200, 99: 431, 100: 431, 300: 431} {
		answers := k.wire(request(before))
		seen := backend.take()
		if got := statuses(answers); !slices.Equal(got, []int{status}) {
			t.Errorf("with %d headers before Host: %v", before, got)
		}
		if status == 200 && (len(seen) != 1 || seen[0].Header.Get("X-Route") != "shop") || status != 200 && len(seen) != 0 {
			t.Errorf("with %d headers before Host the backend is sent %d requests, the first of them by the route %q", before, len(seen), routeOf(seen))
		}
	}
}

// Nor can it hide a parameter of the query.
func TestTooManyParameters(t *testing.T) {
	k, backend := examining(t)
	c := config{}
	c.route("shop.test", backend.port)
	c.plugin("shop.test", "request-termination", entity{"status_code": 403})
	c["routes"][id("route", "shop-test")]["expression"] = `(lower(http.host) == "shop.test") && (http.queries.debug == "1")`
	c.route(everybody, backend.port)
	k.load(c)
	for before, status := range map[int]int{0: 403, 50: 403, 99: 403, 100: 414, 500: 414} {
		if got := statuses(k.wire(lines("GET /?"+strings.Repeat("a&", before)+"debug=1 HTTP/1.1", "Host: shop.test", "Connection: close"))); !slices.Equal(got, []int{status}) {
			t.Errorf("with %d parameters before: %v", before, got)
		}
	}
	if got := statuses(k.wire(lines("GET /"+strings.Repeat("a&", 500)+" HTTP/1.1", "Host: shop.test", "Connection: close"))); !slices.Equal(got, []int{200}) {
		t.Errorf("a path with as many: %v", got)
	}
	if got := statuses(k.wire(lines("GET /"+strings.Repeat("a", 2000)+"?"+strings.Repeat("b", 2000)+" HTTP/1.1", "Host: shop.test", "Connection: close"))); !slices.Equal(got, []int{200}) {
		t.Errorf("a long target: %v", got)
	}
}

// Without a trusted proxy in front, a client's X-Forwarded headers are not used.
func TestForwardedHeaders(t *testing.T) {
	k, backend := examining(t)
	k.wire(lines("GET /a HTTP/1.1", "Host: shop.test", "Connection: close", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: evil.test", "X-Forwarded-Proto: https",
		"X-Forwarded-Port: 1", "X-Forwarded-Path: /evil", "X-Forwarded-Prefix: /evil", "X-Real-IP: 192.0.2.1", "X-Kong-Request-Id: forged"))
	seen := backend.take()
	if len(seen) != 1 {
		t.Fatal(len(seen))
	}
	for name, want := range map[string][]string{"X-Forwarded-For": {"192.0.2.1, 127.0.0.1"}, "X-Forwarded-Host": {"shop.test"}, "X-Forwarded-Proto": {"http"},
		"X-Forwarded-Port": {fmt.Sprint(k.proxy)}, "X-Forwarded-Path": {"/a"}, "X-Forwarded-Prefix": nil, "X-Real-Ip": {"127.0.0.1"}} {
		if got := seen[0].Header[name]; !slices.Equal(got, want) {
			t.Errorf("the backend is sent %s: %q, not %q", name, got, want)
		}
	}
	if got := seen[0].Header["X-Kong-Request-Id"]; len(got) != 1 || got[0] == "forged" {
		t.Errorf("the backend is sent X-Kong-Request-Id: %q", got)
	}
}

// Some backends, and Kong in some places, read "_" in header names as "-".
func TestUnderscores(t *testing.T) {
	k, backend := examining(t)
	answers := k.wire(lines("GET / HTTP/1.1", "Host: shop.test", "Connection: close", "X_Consumer_Username: admin", "X-Consumer_Custom-Id: 1",
		"X_Forwarded_Proto: https", "x_forwarded_host: evil.test", "X_Real_IP: 192.0.2.1", "X_Credential_Identifier: a", "api_key: kept", "X_Own: kept"))
	seen := backend.take()
	if len(answers) != 1 || len(seen) != 1 {
		t.Fatalf("%v %+v", statuses(answers), seen)
	}
	for name, values := range seen[0].Header {
		if strings.Contains(name, "_") && values[0] != "kept" {
			t.Errorf("the backend is sent %s: %s", name, values)
		}
	}
	if h := seen[0].Header; h["Api_key"] == nil || h["X_own"] == nil || h.Get("X-Forwarded-Proto") != "http" || h.Get("X-Forwarded-Host") != "shop.test" {
		t.Errorf("the backend is sent %q", seen[0].head)
	}
}

// No ambiguous request reaches a backend.
func TestMalformedRequests(t *testing.T) {
	k, backend := examining(t)
	post := func(headers ...string) string {
		return lines(append([]string{"POST / HTTP/1.1", "Host: shop.test"}, headers...)...)
	}
	for name, request := range map[string]string{
		"both lengths":            post("Content-Length: 4", "Transfer-Encoding: chunked") + "0\r\n\r\n",
		"two lengths":             post("Content-Length: 4", "Content-Length: 5") + "hello",
		"a list of lengths":       post("Content-Length: 4, 4") + "abcd",
		"a signed length":         post("Content-Length: +4") + "abcd",
		"a negative length":       post("Content-Length: -1"),
		"an unknown encoding":     post("Transfer-Encoding: xchunked") + "0\r\n\r\n",
		"chunked and another":     post("Transfer-Encoding: chunked, identity") + "0\r\n\r\n",
		"two encodings":           post("Transfer-Encoding: chunked", "Transfer-Encoding: identity") + "0\r\n\r\n",
		"chunked in HTTP/1.0":     lines("POST / HTTP/1.0", "Host: shop.test", "Transfer-Encoding: chunked") + "0\r\n\r\n",
		"a space before a colon":  post("Content-Length : 4") + "abcd",
		"a null in a name":        post("X-A\x00B: c"),
		"a null in a value":       post("X-A: b\x00c"),
		"a bare return":           post("X-A: b\rContent-Length: 4") + "abcd",
		"TRACE":                   lines("TRACE / HTTP/1.1", "Host: shop.test"),
		"CONNECT":                 lines("CONNECT shop.test:80 HTTP/1.1", "Host: shop.test"),
		"a null in a path":        lines("GET /a%00b HTTP/1.1", "Host: shop.test"),
		"a version that is none":  lines("GET / HTTP/1.1 HTTP/1.1", "Host: shop.test"),
		"HTTP/2 in plain text":    lines("PRI * HTTP/2.0", "Host: shop.test"),
		"a chunk's size too long": post("Transfer-Encoding: chunked") + "fffffffffffffffff1\r\nx\r\n0\r\n\r\n",
	} {
		answers := k.wire(request)
		got := statuses(answers)
		if seen := backend.take(); len(seen) != 0 {
			t.Errorf("%s: answers %v, and the backend is sent %q", name, got, seen[0].head)
		}
		if len(got) > 1 || len(got) == 1 && got[0] < 400 {
			t.Errorf("%s: answers %v", name, got)
		}
	}
}

// Kong answers these as without the plugin.
func TestPlainRequestsAreLeftAlone(t *testing.T) {
	k, backend := examining(t)
	request := lines("GET /a/b?c=d HTTP/1.1", "Host: shop.test", "Accept: */*", "Authorization: Bearer x", "Cookie: a=b", "X-Two: 1", "X-Two: 2", "TE: trailers", "Connection: TE, keep-alive")
	if got := statuses(k.wire(request)); !slices.Equal(got, []int{200}) {
		t.Fatal(got)
	}
	q := backend.take()[0]
	for name, want := range map[string][]string{"Accept": {"*/*"}, "Authorization": {"Bearer x"}, "Cookie": {"a=b"}, "X-Two": {"1", "2"}, "Te": {"trailers"}, "Connection": {"keep-alive"}} {
		if !slices.Equal(q.Header[name], want) {
			t.Errorf("the backend is sent %s: %q, not %q", name, q.Header[name], want)
		}
	}
	if q.RequestURI != "/a/b?c=d" {
		t.Errorf("the backend is asked for %s", q.RequestURI)
	}
	// WebSocket, as browsers do it.
	for _, connection := range []string{"Upgrade", "keep-alive, Upgrade", "upgrade"} {
		k.wire(lines("GET /ws HTTP/1.1", "Host: shop.test", "Connection: "+connection, "Upgrade: websocket"))
		q := backend.take()[0]
		if q.Header.Get("Upgrade") != "websocket" || !strings.EqualFold(q.Header.Get("Connection"), "keep-alive, Upgrade") {
			t.Errorf("Connection: %s: the backend is sent %q", connection, q.head)
		}
	}
	// Pipelined requests.
	two := lines("GET /1 HTTP/1.1", "Host: shop.test") + lines("GET /2 HTTP/1.1", "Host: shop.test", "Connection: close")
	if got := statuses(k.wireTwo(two)); !slices.Equal(got, []int{200, 200}) || len(backend.take()) != 2 {
		t.Error(got)
	}
	if got := k.Complaints(); strings.Contains(got, "kube-sync-request") {
		t.Errorf("Kong complains: %s", got)
	}
}
