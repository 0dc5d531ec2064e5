package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/standin/settings"
)

// prefixOf creates a directory whose path is short enough for a socket.
func prefixOf(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "standin")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// harness is a gateway under test.
type harness struct {
	*Gateway
	t     *testing.T
	admin *http.Client
	log   *lockedBuffer
}

func start(t *testing.T, prefix string, environ ...string) *harness {
	t.Helper()
	s, err := settings.Read(append([]string{
		"KONG_PREFIX=" + prefix,
		"KONG_PROXY_LISTEN=127.0.0.1:0, 127.0.0.1:0 ssl http2",
		"KONG_NGINX_ADMIN_LISTEN=unix:" + filepath.Join(prefix, "admin.sock"),
	}, environ...), "")
	if err != nil {
		t.Fatal(err)
	}
	h := &harness{t: t, log: &lockedBuffer{}}
	h.Gateway, err = Start(context.Background(), Config{Settings: s, Log: slog.New(slog.NewTextHandler(h.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	h.admin = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(prefix, "admin.sock"))
		},
	}}
	return h
}

func (h *harness) plain() string { return h.Addresses("KONG_PROXY_LISTEN")[0].String() }
func (h *harness) tls() string   { return h.Addresses("KONG_PROXY_LISTEN")[1].String() }

// post sends a configuration and returns the status and the decoded answer.
func (h *harness) post(config, query string) (int, map[string]any) {
	h.t.Helper()
	resp, err := h.admin.Post("http://admin/config?"+query, "text/yaml", strings.NewReader(config))
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	answer := map[string]any{}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &answer); err != nil {
			h.t.Fatalf("%v in %s", err, data)
		}
	}
	return resp.StatusCode, answer
}

// load sends a configuration, which has to be accepted.
func (h *harness) load(config string) {
	h.t.Helper()
	if status, answer := h.post(config, "flatten_errors=1"); status != http.StatusCreated {
		h.t.Fatalf("configuration answered %d: %v", status, answer)
	}
}

// status sends a GET to the Admin API and returns the status and a field of the answer.
func (h *harness) status(path, field string) (int, any) {
	h.t.Helper()
	resp, err := h.admin.Get("http://admin" + path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, answer[field]
}

// get sends a GET to the gateway, whatever the URL's host, and returns the answer and its body.
func (h *harness) get(url string) (*http.Response, string) {
	h.t.Helper()
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", h.plain())
		}},
	}
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Accept", "*/*") // as curl; without, some of Kong's errors are plain text
	resp, err := client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp, string(body)
}

// backend starts a server. It answers with its name, the request, and the request's headers that the query parameter
// show lists.
func backend(t *testing.T, name string) (address string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Backend", name)
		for _, header := range strings.Split(r.URL.Query().Get("show"), ",") {
			w.Header().Add("X-Shown", r.Header.Get(header))
		}
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, name+" "+r.Host+" "+r.URL.RequestURI()+" "+string(body))
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// lockedBuffer is a log that a test reads while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
