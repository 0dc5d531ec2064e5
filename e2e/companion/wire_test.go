package companion

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// received is a request as a backend reads it from the connection.
type received struct {
	*http.Request
	head string // as it came, with its last empty line
	body string
}

// recorder is a backend that records requests and answers each with 200.
type recorder struct {
	port int

	mu   sync.Mutex
	seen []received
}

func startRecorder(t testing.TB) *recorder {
	t.Helper()
	listener := listen(t)
	t.Cleanup(func() { _ = listener.Close() })
	r := &recorder{port: listener.Addr().(*net.TCPAddr).Port}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go r.serve(c)
		}
	}()
	return r
}

func (r *recorder) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	var wire bytes.Buffer
	reader := bufio.NewReader(io.TeeReader(c, &wire))
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		request.RemoteAddr = c.RemoteAddr().String()
		head, _, _ := strings.Cut(wire.String(), "\r\n\r\n")
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.seen = append(r.seen, received{request, head + "\r\n\r\n", string(body)})
		r.mu.Unlock()
		rest := wire.Len() - reader.Buffered()
		wire.Next(rest)
		if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
			return
		}
	}
}

// take returns the requests since the last call.
func (r *recorder) take() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.seen
	r.seen = nil
	return seen
}

// everybody stands for all hosts.
const everybody = "everybody"

// route adds a route for a host to a port of loopback, and returns the service's id.
func (c config) route(host string, port int, fields ...any) (service string) {
	name := strings.ReplaceAll(host, ".", "-")
	c.put("services", entity{"id": id("service", name), "name": name, "host": "127.0.0.1", "port": port, "retries": 0})
	route := entity{"id": id("route", name), "name": name, "service": id("service", name), "preserve_host": true,
		"expression": fmt.Sprintf(`lower(http.host) == %q`, host), "priority": 100, "tags": []string{"k8s-namespace:" + name}}
	if host == everybody {
		route["expression"], route["priority"] = `http.path ^= "/"`, 1
	}
	for i := 0; i < len(fields); i += 2 {
		route[fields[i].(string)] = fields[i+1]
	}
	c.put("routes", route)
	return id("service", name)
}

// plugin adds a plugin to the route of a host.
func (c config) plugin(host, name string, settings entity) {
	on := strings.ReplaceAll(host, ".", "-")
	c.put("plugins", entity{"id": id("plugin", on, name), "name": name, "route": id("route", on), "config": settings})
}

// wire sends bytes over a new connection and returns all answers until the connection ends or no more
// arrive. It pauses between the parts.
func (k *kong) wire(parts ...string) []*http.Response {
	k.t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", k.proxy))
	if err != nil {
		k.t.Fatal(err)
	}
	return k.over(c, 1, parts...)
}

// wireTwo is wire for parts with two requests, both of which have to be answered.
func (k *kong) wireTwo(parts ...string) []*http.Response {
	k.t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", k.proxy))
	if err != nil {
		k.t.Fatal(err)
	}
	return k.over(c, 2, parts...)
}

// over is wire on a connection. It waits for the expected number of answers.
func (k *kong) over(c net.Conn, expected int, parts ...string) []*http.Response {
	k.t.Helper()
	defer func() { _ = c.Close() }()
	go func() {
		for i, part := range parts {
			if i > 0 {
				time.Sleep(100 * time.Millisecond)
			}
			if _, err := io.WriteString(c, part); err != nil {
				return
			}
		}
	}()
	var answers []*http.Response
	reader := bufio.NewReader(c)
	for {
		// Answers that are expected may take long; others come soon or not at all.
		wait := answersWithin
		if len(answers) >= expected {
			wait = 700 * time.Millisecond
		}
		_ = c.SetReadDeadline(time.Now().Add(wait))
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			return answers
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return answers
		}
		answer.Body = io.NopCloser(bytes.NewReader(body))
		answers = append(answers, answer)
		if answer.StatusCode == http.StatusSwitchingProtocols {
			return answers
		}
	}
}

// file returns the content of a file in the prefix.
func (k *kong) file(name string) string {
	k.t.Helper()
	content, err := os.ReadFile(filepath.Join(k.Prefix, name))
	if err != nil {
		k.t.Fatal(err)
	}
	return string(content)
}

// statuses returns the statuses of answers.
func statuses(answers []*http.Response) []int {
	var all []int
	for _, a := range answers {
		all = append(all, a.StatusCode)
	}
	return all
}

// lines joins the lines of a request's head, and ends it.
func lines(all ...string) string { return strings.Join(all, "\r\n") + "\r\n\r\n" }

// truncateLog empties Kong's log.
func (k *kong) truncateLog() error {
	return os.Truncate(k.LogFile(), 0)
}
