package companion

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// backends are servers on loopback that answer with their port, over HTTP and over TCP. Over TCP they
// answer at once and to any data.
type backends struct{ http, tcp []int }

func startBackends(t testing.TB, n int) backends {
	t.Helper()
	var b backends
	for range n {
		listener := listen(t)
		port := listener.Addr().(*net.TCPAddr).Port
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strconv.Itoa(port))
		}))
		_ = server.Listener.Close()
		server.Listener = listener
		server.Start()
		t.Cleanup(server.Close)
		b.http = append(b.http, port)

		raw := listen(t)
		t.Cleanup(func() { _ = raw.Close() })
		go func() {
			for {
				c, err := raw.Accept()
				if err != nil {
					return
				}
				_, _ = fmt.Fprint(c, raw.Addr().(*net.TCPAddr).Port)
				_ = c.Close()
			}
		}()
		b.tcp = append(b.tcp, raw.Addr().(*net.TCPAddr).Port)
	}
	return b
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", freeport.Port(t)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// want is a request with the expected answer.
type want struct {
	host, path string
	headers    map[string]string
	code       int
	from       []int  // backends, one of which answers a 200
	added      string // the answer's header X-Added
}

// fresh opens a connection for each request, so that any worker may answer.
var fresh = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: answersWithin}

// try sends the request once. It returns what is wrong with the answer, or "", and the worker that answered.
func (k *kong) try(w want) (wrong, worker string) {
	request, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", k.proxy, w.path), nil)
	if err != nil {
		return err.Error(), ""
	}
	request.Host = w.host
	for name, value := range w.headers {
		request.Header.Set(name, value)
	}
	response, err := fresh.Do(request)
	if err != nil {
		return err.Error(), ""
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body)
	worker = response.Header.Get("X-Worker")
	if response.StatusCode != w.code {
		return fmt.Sprintf("answered %d %.100s", response.StatusCode, body), worker
	}
	if w.code != http.StatusOK {
		return "", worker
	}
	if port, _ := strconv.Atoi(string(body)); !slices.Contains(w.from, port) {
		return "answered from " + string(body), worker
	}
	if added := response.Header.Get("X-Added"); added != w.added {
		return fmt.Sprintf("answered with X-Added %q", added), worker
	}
	return "", worker
}

// answers sends the request until every worker has answered. All answers have to be right.
func (k *kong) answers(w want) {
	k.t.Helper()
	seen := map[string]bool{}
	for range 400 {
		wrong, worker := k.try(w)
		if wrong != "" {
			k.t.Fatalf("worker %s: %+v: %s\nstatus %+v\n%s", worker, w, wrong, k.status(), k.Complaints())
		}
		if seen[worker] = true; len(seen) == workers {
			return
		}
	}
	k.t.Fatalf("%+v: only the workers %v have answered", w, seen)
}

// connections is the number of connections that reach all workers with near certainty.
const connections = 12

// shows fails unless clients with a server name get a certificate.
func (k *kong) shows(name, serial string) {
	k.t.Helper()
	for range connections {
		c, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", k.tls), &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if err != nil {
			k.t.Fatal(err)
		}
		shown := c.ConnectionState().PeerCertificates[0].Subject.SerialNumber
		_ = c.Close()
		if shown != serial {
			k.t.Fatalf("%s: shown the certificate %q, not %q\n%s", name, shown, serial, k.Complaints())
		}
	}
}

// leads fails unless a port of the stream subsystem leads to one of the backends, or nowhere if there are
// none.
func (k *kong) leads(port int, to []int) {
	k.t.Helper()
	for range connections {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			k.t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(answersWithin))
		content, _ := io.ReadAll(c)
		_ = c.Close()
		got, _ := strconv.Atoi(string(content))
		if len(to) == 0 && got == 0 || slices.Contains(to, got) {
			continue
		}
		k.t.Fatalf("stream port %d leads to %d, not to one of %v\nstatus %+v\n%s", port, got, to, k.status(), k.Complaints())
	}
}
