package attacks

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// onRequests are attacks by requests alone, or by the attacker's routes for them.
func onRequests() []attack {
	return []attack{
		{name: "a Connection header that names the header which frames the body", requests: smuggles},
		{name: "a Connection header that names what a filter or plugin sets", requests: strips},
		{name: "an absolute-form URI", requests: absoluteForm},
		{
			name: "the relay's key in logs",
			steps: []string{plugin(attacker, "log", "http-log", `{"http_endpoint": "http://`+collectorIP+`:`+backendPort+`/relayed"}`) +
				httpRoute(attacker, "relayed", "relayed.attacker.test", `
  - filters: [{type: ExtensionRef, extensionRef: {group: configuration.konghq.com, kind: KongPlugin, name: log}}]
    retry: {attempts: 1, codes: [503]}
    backendRefs: [{name: web, port: 80}]
`)},
			requests: relayKeys,
		},
		{
			name: "bodies that are large, to a backend that is slow",
			steps: []string{service(attacker, "slow", slowIP, backendPort) + plugin(attacker, "reads", "request-transformer", `{"add": {"body": ["x:y"]}}`) +
				ingress(attacker, "slow", "slow.attacker.test", "/", "slow") + ingress(attacker, "reads", "reads.attacker.test", "/", "slow", "plugins=reads")},
			requests: largeBodies,
		},
		{name: "headers that are many and large", requests: largeHeaders},
	}
}

// raw sends bytes on one connection and returns the status lines of the answers.
func (w *world) raw(text string) (statuses []string, all string) {
	connection, err := net.DialTimeout("tcp", w.HTTP, answersWithin)
	if err != nil {
		return nil, err.Error()
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(2 * time.Second))
	_, _ = io.WriteString(connection, text)
	read, _ := io.ReadAll(connection)
	for line := range strings.Lines(string(read)) {
		if strings.HasPrefix(line, "HTTP/1.") {
			statuses = append(statuses, strings.TrimSpace(line))
		}
	}
	return statuses, string(read)
}

// smuggles checks that no backend receives a request that is in the body of another one.
func smuggles(t *testing.T, w *world) {
	t.Helper()
	inner := "GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n"
	var sent sync.WaitGroup
	for _, connection := range []string{
		"Content-Length", "content-length", "close, Content-Length", "Content-Length, close", "keep-alive,Content-Length", " Content-Length ",
		"Transfer-Encoding", "transfer-encoding, Content-Length", "Host", "Expect", "TE, Trailer, Content-Length", "\tContent-Length",
	} {
		for _, body := range []string{
			fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(inner), inner),
			fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(inner), inner),
		} {
			for _, header := range []string{"Connection: " + connection + "\r\n", "Connection: close\r\nConnection: " + connection + "\r\n"} {
				sent.Go(func() { _, _ = w.raw("POST /outer HTTP/1.1\r\nHost: shop.test\r\n" + header + body) })
			}
		}
	}
	sent.Wait()
	// The next request would reveal bytes that wait on a connection from Kong to the backend.
	for range 10 {
		_, _ = w.do(http.MethodGet, "shop.test", "/outer", false, nil)
	}
	if uris := w.urisOf("/smuggled"); len(uris) > 0 {
		t.Errorf("%d requests within bodies reach the backend", len(uris))
	}
}

// strips checks that a client cannot remove a header that the gateway sets.
func strips(t *testing.T, w *world) {
	t.Helper()
	for host, test := range map[string]struct{ path, header string }{
		"api.shop.test":      {"/v1", "X-Trust: shop"},
		"private.shop.test":  {"/", "X-Consumer-Username: alice"},
		"optional.shop.test": {"/", "X-Anonymous-Consumer: true"},
	} {
		name, _, _ := strings.Cut(test.header, ":")
		key := "apikey: " + aliceKey + "\r\n"
		if host == "optional.shop.test" {
			key = ""
		}
		for _, connection := range []string{"close, " + name, name, strings.ToLower(name) + ", close", "close, X-Real-Ip, X-Forwarded-For, X-Kube-Sync-Relay, " + name} {
			for range 3 {
				_, answer := w.raw("GET " + test.path + " HTTP/1.1\r\nHost: " + host + "\r\n" + key + "Connection: close\r\nConnection: " + connection + "\r\n\r\n")
				if strings.HasPrefix(answer, "HTTP/1.1 200") && !strings.Contains(answer, `"`+http.CanonicalHeaderKey(name)+`":[`) {
					t.Errorf("%s: with Connection: %s the backend does not get %s: %.600s", host, connection, test.header, answer)
				}
			}
		}
	}
}

// absoluteForm checks that a backend receives the host by which the request was routed.
func absoluteForm(t *testing.T, w *world) {
	t.Helper()
	for _, target := range []string{"http://evil.test/v1", "http://shop.test/v1", "http://api.shop.test:1234/v1", "http://evil.test@api.shop.test/v1"} {
		for range 2 {
			_, answer := w.raw("GET " + target + " HTTP/1.1\r\nHost: api.shop.test\r\nConnection: close\r\n\r\n")
			if !strings.HasPrefix(answer, "HTTP/1.1 200") {
				continue // it is refused, or routed by the URI's host
			}
			host, forwarded := between(answer, `"Host":"`, `"`), between(answer, `"X-Forwarded-Host":["`, `"`)
			if withoutPort(host) != withoutPort(forwarded) {
				t.Errorf("%s: the backend of %s is told X-Forwarded-Host: %s", target, host, forwarded)
			}
		}
	}
}

func withoutPort(host string) string {
	name, _, _ := strings.Cut(host, ":")
	return name
}

func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	value, _, _ := strings.Cut(rest, after)
	return value
}

// relayKeys checks that only Kong and the relay know the keys of rules, and that a known key is useless.
func relayKeys(t *testing.T, w *world) {
	t.Helper()
	keys := w.relayKeys(t)
	if len(keys) < 2 {
		t.Fatalf("the relay has the keys %v, and not one for each of two routes", keys)
	}
	for range 4 {
		if a, err := w.do(http.MethodGet, "relayed.attacker.test", "/first", false, nil); err != nil || a.seen.Served != strangerIP {
			t.Errorf("the attacker's own route does not work: %d %.200s, %v", a.status, a.body, err)
		}
	}
	eventually.Nil(t, answersWithin, func() error {
		if !w.collects("/first") {
			return errors.New("the plugin that logs sends nothing")
		}
		return nil
	})
	for _, key := range keys {
		if w.collects(key) {
			t.Error("a plugin that logs sends a key of the relay")
		}
		if strings.Contains(w.accessLog(), key) || strings.Contains(string(w.log(0)), key) {
			t.Error("a key of the relay is in the gateway's log")
		}
	}
	for _, key := range keys {
		for host, served := range map[string]string{"relayed.attacker.test": strangerIP, "shop.test": shopIP} {
			for name, value := range map[string]string{"X-Kube-Sync-Relay": key, "Via": "1.1 " + key} {
				a, err := w.do(http.MethodGet, host, "/replayed", false, map[string]string{name: value})
				if err != nil || a.seen.Served != served {
					t.Errorf("with a key in %s %s answers %d from %s, %v", name, host, a.status, a.seen.Served, err)
				}
			}
		}
	}
}

var relayKey = regexp.MustCompile(`"relay":"([0-9a-f]+)"`)

// relayKeys returns the keys in Kong's configuration.
func (w *world) relayKeys(t *testing.T) (keys []string) {
	t.Helper()
	var page struct{ Data []json.RawMessage }
	if err := w.ask("/plugins?size=1000", &page); err != nil {
		t.Fatal(err)
	}
	for _, p := range page.Data {
		for _, found := range relayKey.FindAllStringSubmatch(string(p), -1) {
			keys = append(keys, found[1])
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// largeBodies sends bodies to backends that do not read them, and checks that the gateway holds a bounded amount of
// them.
func largeBodies(t *testing.T, w *world) {
	t.Helper()
	const size, sent, most = 64 << 20, 8, 200 << 20
	var all sync.WaitGroup
	for i := range sent {
		all.Add(1)
		go func() {
			defer all.Done()
			host := []string{"slow.attacker.test", "reads.attacker.test"}[i%2]
			connection, err := net.Dial("tcp", w.HTTP)
			if err != nil {
				return
			}
			defer connection.Close()
			_ = connection.SetDeadline(time.Now().Add(4 * time.Second))
			writer := bufio.NewWriter(connection)
			fmt.Fprintf(writer, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", host, size)
			chunk := make([]byte, 1<<16)
			for range size / len(chunk) {
				if _, err := writer.Write(chunk); err != nil {
					return
				}
			}
			_ = writer.Flush()
			_, _ = connection.Read(chunk)
		}()
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	peak := int64(0)
	for {
		peak = max(peak, w.bodiesOnDisk())
		select {
		case <-done:
			if t.Logf("bodies took %d MiB of disk", peak>>20); peak > most {
				t.Errorf("bodies took %d MiB of disk, and not %d at most", peak>>20, most>>20)
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// bodiesOnDisk returns the size of nginx's open files for bodies, which may be unlinked.
func (w *world) bodiesOnDisk() (bytes int64) {
	for _, pid := range w.Workers() {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, file := range files {
			target, err := os.Readlink(file)
			if err != nil || !strings.Contains(target, "client_body_temp") {
				continue
			}
			if info, err := os.Stat(file); err == nil {
				bytes += info.Size()
			}
		}
	}
	return bytes
}

// largeHeaders sends as many headers and parameters as fit, to routes that match them.
func largeHeaders(_ *testing.T, w *world) {
	var many strings.Builder
	for i := range 900 {
		fmt.Fprintf(&many, "X-%d: %s\r\n", i, strings.Repeat("v", 20))
	}
	query := "?" + strings.Repeat("a=b&", 1800)
	for range 10 {
		_, _ = w.raw("GET /v1" + query + " HTTP/1.1\r\nHost: api.shop.test\r\nConnection: close\r\n\r\n")
		_, _ = w.raw("GET / HTTP/1.1\r\nHost: private.shop.test\r\nConnection: close\r\n" + many.String() + "\r\n")
		_, _ = w.raw("GET / HTTP/1.1\r\nHost: private.shop.test\r\nConnection: close\r\napikey: " + strings.Repeat("k", 7000) + "\r\n\r\n")
	}
}
