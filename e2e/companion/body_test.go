package companion

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// bodies starts a Kong with bounds on the bodies that it holds. It has the routes plain.test, and
// hungry.test with a plugin that reads whole bodies.
func bodies(t *testing.T, more ...string) (k *kong, begun chan string) {
	t.Helper()
	begun = make(chan string, 100)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		first := make([]byte, 1)
		_, _ = io.ReadFull(q.Body, first)
		begun <- fmt.Sprint(q.ContentLength) + fmt.Sprint(q.TransferEncoding)
		n, err := io.Copy(io.Discard, q.Body)
		if err != nil {
			return
		}
		_, _ = fmt.Fprint(w, n+1)
	}))
	t.Cleanup(backend.Close)
	k = start(t, append(slices.Concat(withRequests, []string{"KONG_NGINX_WORKER_PROCESSES=1",
		"KONG_PLUGINSERVER_KUBE_SYNC_MAX_BUFFERED_BODY=256k", "KONG_PLUGINSERVER_KUBE_SYNC_MAX_BUFFERED_BODIES=1m"}), more...)...)
	port := backend.Listener.Addr().(*net.TCPAddr).Port
	c := config{}
	c.route("plain.test", port)
	c.route("streaming.test", port, "response_buffering", false)
	c.route("hungry.test", port)
	grpc := c.route("grpc.test", port)
	c["services"][grpc]["protocol"] = "grpc"
	c.plugin("grpc.test", "pre-function", entity{"access": []string{`ngx.req.read_body()`}})
	c.route("deaf.test", freeport.Port(t))
	c.route("refusing.test", port)
	c.plugin("refusing.test", "ip-restriction", entity{"deny": []string{"0.0.0.0/0"}})
	silent := listen(t)
	t.Cleanup(func() { _ = silent.Close() })
	service := c.route("silent.test", silent.Addr().(*net.TCPAddr).Port)
	c["services"][service]["read_timeout"] = 300
	c.plugin("hungry.test", "pre-function", entity{"access": []string{`kong.ctx.shared.length = #(kong.request.get_raw_body(-1) or "")`,
		`ngx.req.read_body()`}})
	k.load(c)
	return k, begun
}

// upload sends a body piece by piece. It reports the status and the text of the answer, and what is in
// Kong's directory for bodies while the last piece is outstanding.
type upload struct {
	c    net.Conn
	k    *kong
	send func([]byte) string
	end  string
}

func (k *kong) upload(host string, length int) *upload {
	k.t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", k.proxy))
	if err != nil {
		k.t.Fatal(err)
	}
	u := &upload{c: c, k: k, send: func(b []byte) string { return string(b) }}
	framing := fmt.Sprintf("Content-Length: %d", length)
	if length < 0 {
		framing, u.end = "Transfer-Encoding: chunked", "0\r\n\r\n"
		u.send = func(b []byte) string { return fmt.Sprintf("%x\r\n%s\r\n", len(b), b) }
	}
	u.write(lines("POST /upload HTTP/1.1", "Host: "+host, "Connection: close", framing))
	return u
}

func (u *upload) write(text string) bool {
	_ = u.c.SetWriteDeadline(time.Now().Add(answersWithin))
	_, err := io.WriteString(u.c, text)
	return err == nil
}

// some sends a number of bytes of the body, and reports whether they were accepted.
func (u *upload) some(n int) bool {
	piece := make([]byte, min(n, 64<<10))
	_, _ = rand.Read(piece)
	for ; n > 0; n -= len(piece) {
		if !u.write(u.send(piece[:min(n, len(piece))])) {
			return false
		}
	}
	return true
}

func (u *upload) finish() (status int, text string) {
	u.k.t.Helper()
	u.write(u.end)
	return u.answer()
}

func (u *upload) answer() (status int, text string) {
	u.k.t.Helper()
	answers := u.k.over(u.c, 1)
	if len(answers) != 1 {
		return 0, ""
	}
	body, _ := io.ReadAll(answers[0].Body)
	return answers[0].StatusCode, string(bytes.TrimSpace(body))
}

// onDisk returns the size of the unlinked files that Kong's workers have open.
func (k *kong) onDisk() (n int64) {
	k.t.Helper()
	for _, pid := range k.Workers() {
		files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		if err != nil {
			k.t.Fatal(err)
		}
		for _, file := range files {
			target, _ := os.Readlink(file)
			if !strings.Contains(target, "client_body_temp") && !strings.Contains(target, "proxy_temp") {
				continue
			}
			if stat, err := os.Stat(file); err == nil {
				n += stat.Size()
			}
		}
	}
	return n
}

func (k *kong) held() int {
	k.t.Helper()
	_, answer, _ := ask[struct{ Held int }](k, "GET", "/kube-sync/request", "application/json", nil)
	return answer.Held
}

// Bodies up to a size are received whole. Larger ones and those of unknown length are streamed to the
// backend, and not written to a file.
func TestBodiesAreHeldUpToASize(t *testing.T) {
	k, begun := bodies(t)
	for name, c := range map[string]struct {
		host   string
		length int // -1 if Kong is not told
		size   int
		early  string // what the backend is told before the end; "" if it is told nothing by then
	}{
		"small":                     {"plain.test", 200 << 10, 200 << 10, ""},
		"large":                     {"plain.test", 2 << 20, 2 << 20, "2097152[]"},
		"unknown":                   {"plain.test", -1, 2 << 20, "-1[chunked]"},
		"large, streamed answers":   {"streaming.test", 2 << 20, 2 << 20, "2097152[]"},
		"unknown, streamed answers": {"streaming.test", -1, 2 << 20, "-1[chunked]"},
		"small, streamed answers":   {"streaming.test", 200 << 10, 200 << 10, ""},
	} {
		t.Run(name, func(t *testing.T) {
			u := k.upload(c.host, c.length)
			u.some(c.size - 1)
			if c.early != "" {
				select {
				case got := <-begun:
					if got != c.early {
						t.Errorf("the backend is told %s", got)
					}
				case <-time.After(answersWithin):
					t.Fatal("the backend is told nothing before the end")
				}
				if n := k.onDisk(); n != 0 {
					t.Errorf("%d bytes are on disk", n)
				}
			} else if len(begun) > 0 {
				t.Error("the backend is told of the request before it is whole")
			}
			u.some(1)
			if status, text := u.finish(); status != 200 || text != fmt.Sprint(c.size) {
				t.Errorf("%d %s", status, text)
			}
			if c.early == "" {
				<-begun
			}
			k.Eventually("nothing to be held", func() bool { return k.held() == 0 })
		})
	}
}

// For plugins that read bodies, Kong rejects larger ones, whether or not the request has their length.
func TestPluginsThatReadBodies(t *testing.T) {
	k, begun := bodies(t)
	small := k.upload("hungry.test", 100<<10)
	small.some(100 << 10)
	if status, text := small.finish(); status != 200 || text != fmt.Sprint(100<<10) {
		t.Errorf("small: %d %s", status, text)
	}
	<-begun
	chunked := k.upload("hungry.test", -1)
	chunked.some(100 << 10)
	if status, text := chunked.finish(); status != 200 || text != fmt.Sprint(100<<10) {
		t.Errorf("small, of unknown length: %d %s", status, text)
	}
	<-begun
	if status, _ := k.upload("hungry.test", 2<<20).answer(); status != 413 {
		t.Errorf("large: %d", status)
	}
	endless := k.upload("hungry.test", -1)
	status := make(chan int, 1)
	go func() {
		code, _ := endless.answer()
		status <- code
	}()
	most, sent := int64(0), 0
	for ; sent < 64<<20 && endless.some(64<<10); sent += 64 << 10 {
		most = max(most, k.onDisk())
		time.Sleep(time.Millisecond)
	}
	if code := <-status; code != 413 {
		t.Errorf("without an end: %d", code)
	}
	t.Logf("of a body without an end %d KiB were on disk at most", most>>10)
	if most > 8<<20 {
		t.Errorf("of a body without an end %d bytes were on disk", most)
	}
	if len(begun) > 0 {
		t.Error("the backend is sent some of it")
	}
	k.Eventually("nothing to be held", func() bool { return k.held() == 0 && k.onDisk() == 0 })
}

// However many clients send bodies to one namespace's routes at once, Kong holds a bounded amount of them,
// and has room for those of another namespace.
func TestBodiesAreHeldUpToASum(t *testing.T) {
	k, begun := bodies(t)
	var all []*upload
	for range 20 {
		u := k.upload("plain.test", 100<<10)
		u.some(100<<10 - 1)
		all = append(all, u)
	}
	k.Eventually("what is held", func() bool { return k.held() == 500<<10 })
	for range 15 {
		<-begun // sent on as they come
	}
	if n := k.onDisk(); n > 512<<10 {
		t.Errorf("%d bytes are on disk", n)
	}
	other := k.upload("streaming.test", 100<<10)
	other.some(100<<10 - 1)
	k.Eventually("the other namespace's body", func() bool { return k.held() == 600<<10 })
	time.Sleep(50 * time.Millisecond)
	if len(begun) > 0 {
		t.Error("the other namespace's body is not received whole")
	}
	// When a client disconnects, the memory of its request is released.
	_ = all[0].c.Close()
	for _, u := range append(all[1:], other) {
		u.some(1)
		if status, text := u.finish(); status != 200 || text != fmt.Sprint(100<<10) {
			t.Errorf("%d %s", status, text)
		}
	}
	k.Eventually("nothing to be held", func() bool { return k.held() == 0 && k.onDisk() == 0 })
}

// The memory of a request's body is released however the request ends.
func TestBodiesAreGivenBack(t *testing.T) {
	k, _ := bodies(t)
	for host, want := range map[string]int{"nobody.test": 404, "deaf.test": 502, "refusing.test": 403, "silent.test": 504} {
		u := k.upload(host, 100<<10)
		u.some(100 << 10)
		if status, text := u.finish(); status != want {
			t.Errorf("%s: %d %s", host, status, text)
		}
	}
	gone := k.upload("plain.test", 100<<10)
	gone.some(50 << 10)
	k.Eventually("the body", func() bool { return k.held() == 100<<10 })
	_ = gone.c.Close()
	k.Eventually("nothing to be held", func() bool { return k.held() == 0 && k.onDisk() == 0 })
}

// In HTTP/2, a body needs no length.
func TestBodiesOverHTTP2(t *testing.T) {
	port := freeport.Port(t)
	k, begun := bodies(t, fmt.Sprintf("KONG_PROXY_LISTEN=127.0.0.1:%d http2 reuseport", port))
	k.proxy = port
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	post := func(host string, body io.Reader) (int, string) {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/", k.proxy), body)
		if err != nil {
			t.Fatal(err)
		}
		q.Host = host
		answer, err := transport.RoundTrip(q)
		if err != nil {
			return 0, err.Error()
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(text)
	}
	unknown := func(n int64) io.Reader { return io.LimitReader(rand.Reader, n) }
	most, done := int64(0), make(chan struct{})
	measured := make(chan struct{})
	go func() {
		defer close(measured)
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				most = max(most, k.onDisk())
			}
		}
	}()
	if status, text := post("plain.test", unknown(8<<20)); status != 200 || text != fmt.Sprint(8<<20) {
		t.Errorf("a large body: %d %s", status, text)
	}
	if got := <-begun; got != "-1[chunked]" {
		t.Errorf("the backend is told %s", got)
	}
	if status, text := post("hungry.test", unknown(100<<10)); status != 200 || text != fmt.Sprint(100<<10) {
		t.Errorf("a small body that a plugin reads: %d %s", status, text)
	}
	for _, host := range []string{"hungry.test", "grpc.test"} {
		if status, text := post(host, unknown(64<<20)); status != 413 && status != 0 {
			t.Errorf("%s: a large body that a plugin reads: %d %s", host, status, text)
		}
	}
	close(done)
	<-measured
	t.Logf("%d KiB were on disk at most", most>>10)
	if most > 8<<20 {
		t.Errorf("%d bytes were on disk", most)
	}
	k.Eventually("nothing to be held", func() bool { return k.held() == 0 && k.onDisk() == 0 })
}

// With the bound 0, Kong behaves as without the plugin.
func TestBodiesWithoutABound(t *testing.T) {
	k, begun := bodies(t, "KONG_PLUGINSERVER_KUBE_SYNC_MAX_BUFFERED_BODY=0")
	for _, length := range []int{2 << 20, -1} {
		u := k.upload("plain.test", length)
		u.some(2<<20 - 1)
		k.Eventually("the body on disk", func() bool { return k.onDisk() > 1<<20 })
		if len(begun) > 0 {
			t.Error("the backend is told of the request before it is whole")
		}
		u.some(1)
		if status, text := u.finish(); status != 200 || text != fmt.Sprint(2<<20) {
			t.Errorf("%d %s", status, text)
		}
		if got := <-begun; got != "2097152[]" {
			t.Errorf("the backend is told %s", got)
		}
	}
}
