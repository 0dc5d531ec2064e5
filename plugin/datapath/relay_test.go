package datapath

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
)

// serving is a running relay and its client.
type serving struct {
	*Relay
	t   *testing.T
	url string
}

func running(t *testing.T, o Options, rules ...route.Relay) *serving {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Address, o.Log = listener.Addr().String(), slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := &serving{Relay: New(o), t: t, url: "http://" + o.Address}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	s.Add(entities(rules...))
	return s
}

func entities(rules ...route.Relay) []*kong.Entity {
	var all []*kong.Entity
	for _, r := range rules {
		all = append(all, kong.Relay(r))
	}
	return all
}

// request returns a request for the rule with a key.
func (s *serving) request(key, method, path string, body io.Reader) *http.Request {
	s.t.Helper()
	q, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	q.Header.Set("Via", viaHop+key)
	q.Host = "shop.example"
	return q
}

// ask returns the status and body of the answer.
func (s *serving) ask(q *http.Request) (int, string) {
	s.t.Helper()
	answer, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// endpoint starts a server and returns its address.
func endpoint(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// names returns a handler that answers with a name.
func names(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }
}

func to(targets ...string) []route.RelayBackend {
	return []route.RelayBackend{{Weight: 1, Targets: targets}}
}

var near = Options{Addresses: address.Policy{AllowOwnHost: true}, Memory: 1 << 20}

func TestWithoutARule(t *testing.T) {
	target := endpoint(t, names("a"))
	s := running(t, near, route.Relay{Name: "one", Key: "k1", Backends: to(target)})
	for _, key := range []string{"", "one", "k2"} {
		if status, text := s.ask(s.request(key, "GET", "/", nil)); status != 503 || !strings.Contains(text, "not ready") {
			t.Errorf("with the key %q: %d %s", key, status, text)
		}
	}
	if status, text := s.ask(s.request("k1", "GET", "/", nil)); status != 200 || text != "a" {
		t.Errorf("with the key: %d %s", status, text)
	}
}

func TestTheTableFollows(t *testing.T) {
	one, two := endpoint(t, names("one")), endpoint(t, names("two"))
	s := running(t, near)
	old := entities(route.Relay{Name: "r", Key: "k", Backends: to(one)})
	s.Add(old)
	other := entities(route.Relay{Name: "other", Key: "o", Backends: to(one)})
	s.Add(other)
	if _, text := s.ask(s.request("k", "GET", "/", nil)); text != "one" {
		t.Errorf("at first: %s", text)
	}
	s.Add(entities(route.Relay{Name: "r", Key: "k", Backends: to(two)}))
	if _, text := s.ask(s.request("k", "GET", "/", nil)); text != "two" {
		t.Errorf("after the endpoints changed: %s", text)
	}
	s.Keep(old)
	if status, _ := s.ask(s.request("o", "GET", "/", nil)); status != 503 {
		t.Errorf("what is not kept answers %d", status)
	}
	s.Remove(old)
	if status, _ := s.ask(s.request("k", "GET", "/", nil)); status != 503 {
		t.Errorf("what was removed answers %d", status)
	}
	if n := len(s.table.transports.byKey); n != 0 {
		t.Errorf("%d unused transports are left", n)
	}
}

func TestAnUnreadableRelayIsClosed(t *testing.T) {
	target := endpoint(t, names("a"))
	s := running(t, near, route.Relay{Name: "one", Key: "k", Backends: []route.RelayBackend{
		{Weight: 1, Targets: []string{target}}, {Weight: 1, Targets: []string{target}, TLS: &route.BackendTLS{ServerName: "a", CAs: "none"}}}})
	if status, _ := s.ask(s.request("k", "GET", "/", nil)); status != 503 {
		t.Errorf("it answers %d", status)
	}
}

// A request reaches the endpoint as Kong made it.
func TestNothingIsAdded(t *testing.T) {
	target := endpoint(t, func(w http.ResponseWriter, q *http.Request) {
		q.Header.Del("Accept-Encoding") // added by the test's client
		_ = json.NewEncoder(w).Encode(map[string]any{"uri": q.RequestURI, "host": q.Host, "headers": q.Header})
	})
	s := running(t, near, route.Relay{Name: "one", Key: "k", Backends: to(target)})
	q := s.request("k", "GET", "/a%2Fb//c?x;y=%zz", nil)
	q.Header.Set("X-Forwarded-For", "192.0.2.1")
	q.Header.Set("X-Forwarded-Proto", "https")
	q.Header.Set("Forwarded", "for=192.0.2.1")
	q.Header.Set("User-Agent", "")
	_, text := s.ask(q)
	want := `{"headers":{"Forwarded":["for=192.0.2.1"],"X-Forwarded-For":["192.0.2.1"],"X-Forwarded-Proto":["https"]},"host":"shop.example","uri":"/a%2Fb//c?x;y=%zz"}`
	if strings.TrimSpace(text) != want {
		t.Errorf("the endpoint sees %s, want %s", text, want)
	}
}

// The relay adds no content type to an answer.
func TestNoTypeOfContentIsGuessed(t *testing.T) {
	target := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		_, _ = io.WriteString(w, "<html>")
	})
	s := running(t, near, route.Relay{Name: "one", Key: "k", Backends: to(target)})
	answer, err := http.DefaultTransport.RoundTrip(s.request("k", "GET", "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got, ok := answer.Header["Content-Type"]; ok {
		t.Errorf("the answer has the type %s", got)
	}
}

func TestWeights(t *testing.T) {
	one, two := endpoint(t, names("one")), endpoint(t, names("two"))
	s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: []route.RelayBackend{
		{Weight: 3, Targets: []string{one}}, {Weight: 1, Targets: []string{two, two, two}}}})
	got := map[string]int{}
	for range 40 {
		_, text := s.ask(s.request("k", "GET", "/", nil))
		got[text]++
	}
	if got["one"] != 30 || got["two"] != 10 {
		t.Errorf("of 40 requests: %v, want 30 and 10", got)
	}
}

// The relay does not connect to denied addresses, whether they are given as an address in any form
// or as a name. If there is an exception, it connects to that address only.
func TestDeniedAddresses(t *testing.T) {
	var reached atomic.Int32
	target := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		_, _ = io.WriteString(w, "secret")
	})
	_, port, _ := net.SplitHostPort(target)
	except := Options{Addresses: address.Policy{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}}
	denied := Options{Addresses: address.Policy{AllowOwnHost: true, Denied: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}}
	for _, tt := range []struct {
		options Options
		host    string
		status  int
	}{
		{Options{}, "127.0.0.1", 502},
		{Options{}, "[::ffff:127.0.0.1]", 502},
		{Options{}, "0.0.0.0", 502},
		{Options{}, "localhost", 502},
		{denied, "127.0.0.1", 502},
		{denied, "localhost", 502},
		{except, "127.0.0.1", 200},
		{except, "127.0.0.2", 502},
	} {
		s := running(t, tt.options, route.Relay{Name: "r", Key: "k", Backends: to(tt.host + ":" + port)})
		before := reached.Load()
		status, text := s.ask(s.request("k", "GET", "/", nil))
		if got := reached.Load() - before; status != tt.status || (got > 0) != (tt.status == 200) {
			t.Errorf("%s with %+v: %d %s, reached %d times", tt.host, tt.options.Addresses, status, text, got)
		}
	}
}

// Learned addresses replace those that were learned before.
func TestLearnedAddresses(t *testing.T) {
	r := New(Options{Addresses: address.Policy{Denied: []netip.Prefix{netip.MustParsePrefix("10.0.0.8/32")}}})
	for _, step := range []struct {
		learned address.Learned
		denied  string
	}{
		{nil, "8"},
		{address.Learned{netip.AddrPortFrom(netip.MustParseAddr("10.0.0.9"), 0): address.OfAPIServer}, "89"},
		{address.Learned{netip.AddrPortFrom(netip.MustParseAddr("10.0.0.7"), 0): address.OfGateway}, "78"},
		{address.Learned{}, "8"},
	} {
		r.SetProtected(step.learned)
		for _, last := range "789" {
			err := r.table.transports.control("tcp", fmt.Sprintf("10.0.0.%c:80", last), nil)
			if denied := strings.ContainsRune(step.denied, last); denied != (err != nil) {
				t.Errorf("10.0.0.%c with %v: %v", last, step.learned, err)
			}
		}
	}
}

func TestUpgrade(t *testing.T) {
	target := endpoint(t, func(w http.ResponseWriter, q *http.Request) {
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		_, _ = fmt.Fprintf(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", q.Header.Get("Upgrade"))
		line, _ := buffered.ReadString('\n')
		_, _ = io.WriteString(connection, strings.ToUpper(line))
	})
	s := running(t, near)
	s.Add(entities(route.Relay{Name: "r", Key: "k", Backends: to(target)}))
	connection, err := net.Dial("tcp", s.options.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_, _ = fmt.Fprintf(connection, "GET / HTTP/1.1\r\nHost: a\r\nVia: %sk\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", viaHop)
	reader := bufio.NewReader(connection)
	answer, err := http.ReadResponse(reader, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols || answer.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("%v %v", answer, err)
	}
	_, _ = io.WriteString(connection, "hello\n")
	if line, _ := reader.ReadString('\n'); line != "HELLO\n" {
		t.Errorf("the other side says %q", line)
	}
}

// Bytes are forwarded as they arrive, in both directions at once, and trailers follow; with HTTP/2
// without TLS on both sides.
func TestStreams(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Trailer", "Grpc-Status")
		flush := http.NewResponseController(w)
		_ = flush.Flush() // the answer starts before the request's body
		lines := bufio.NewScanner(q.Body)
		for lines.Scan() {
			_, _ = fmt.Fprintf(w, "%s %s\n", q.Proto, lines.Text())
			_ = flush.Flush()
		}
		w.Header().Set("Grpc-Status", "0")
	})
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	s := running(t, near, route.Relay{Name: "r", Key: "k", Retry: &route.Retry{Attempts: 1},
		Backends: []route.RelayBackend{{Weight: 1, Targets: []string{server.Listener.Addr().String()}, HTTP2: true}}})
	client := &http.Transport{Protocols: new(http.Protocols)}
	client.Protocols.SetUnencryptedHTTP2(true)
	defer client.CloseIdleConnections()
	body, input := io.Pipe()
	q := s.request("k", "POST", "/", body)
	q.Header.Set("Te", "trailers")
	answer, err := client.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	reader := bufio.NewReader(answer.Body)
	for _, word := range []string{"one", "two"} {
		_, _ = io.WriteString(input, word+"\n")
		if line, err := reader.ReadString('\n'); line != "HTTP/2.0 "+word+"\n" {
			t.Fatalf("the answer has %q, %v", line, err)
		}
	}
	input.Close()
	if rest, err := io.ReadAll(reader); len(rest) > 0 || err != nil {
		t.Errorf("the answer ends with %q, %v", rest, err)
	}
	if got := answer.Trailer.Get("Grpc-Status"); got != "0" {
		t.Errorf("the trailers are %v", answer.Trailer)
	}
}

// The relay forwards the whole request even if its answer starts before the request ends.
func TestLargeBodies(t *testing.T) {
	target := endpoint(t, func(w http.ResponseWriter, q *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, q.Body)
	})
	s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: to(target), Retry: &route.Retry{Attempts: 1}})
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	if status, got := s.ask(s.request("k", "POST", "/", bytes.NewReader(sent))); status != 200 || got != string(sent) {
		t.Errorf("%d and %d bytes came back", status, len(got))
	}
}
