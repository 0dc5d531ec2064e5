package tenants

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/kube-sync/kube-sync/translate"
)

// redis is a server that knows as much of Redis as a limiter asks for: it takes all
// passwords, and counts nothing.
type redis struct {
	listener net.Listener
	mutex    sync.Mutex
	// commands are those of each connection.
	commands [][]string
}

func newRedis(t *testing.T) *redis {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	r := &redis{listener: listener}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			r.mutex.Lock()
			r.commands = append(r.commands, nil)
			n := len(r.commands) - 1
			r.mutex.Unlock()
			go r.serve(c, n)
		}
	}()
	return r
}

func (r *redis) port() string {
	_, port, _ := net.SplitHostPort(r.listener.Addr().String())
	return port
}

func (r *redis) serve(c net.Conn, n int) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		words, err := readCommand(in)
		if err != nil {
			return
		}
		r.mutex.Lock()
		r.commands[n] = append(r.commands[n], strings.Join(words, " "))
		r.mutex.Unlock()
		answer := "+OK\r\n"
		switch strings.ToLower(words[0]) {
		case "get":
			answer = "$-1\r\n"
		case "eval", "evalsha", "incrby", "exists", "expire", "expireat":
			answer = ":1\r\n"
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
	}
}

// readCommand reads a command in Redis's protocol.
func readCommand(in *bufio.Reader) ([]string, error) {
	line := func(mark byte) (int, error) {
		text, err := in.ReadString('\n')
		if err != nil || text == "" || text[0] != mark {
			return 0, fmt.Errorf("%q: %w", text, io.ErrUnexpectedEOF)
		}
		return strconv.Atoi(strings.TrimSpace(text[1:]))
	}
	count, err := line('*')
	if err != nil {
		return nil, err
	}
	words := make([]string, count)
	for i := range words {
		size, err := line('$')
		if err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(in, word); err != nil {
			return nil, err
		}
		words[i] = string(word[:size])
	}
	return words, nil
}

// counted are the routes that each connection counted for, and whether it logged in.
func (r *redis) counted() (routes []map[string]bool, loggedIn []bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, commands := range r.commands {
		of, auth := map[string]bool{}, false
		for _, c := range commands {
			auth = auth || strings.HasPrefix(c, "auth ")
			if key := countedRoute.FindStringSubmatch(c); key != nil {
				of[key[1]] = true
			}
		}
		routes, loggedIn = append(routes, of), append(loggedIn, auth)
	}
	return routes, loggedIn
}

var countedRoute = regexp.MustCompile(`ratelimit:([0-9a-f-]{36}):`)

// What a namespace limits with a Redis is counted there, and not at the Redis of another
// namespace that has a numbered database; and a connection that logged in with a password is
// for nobody without it.
func TestRedisIsForItsNamespace(t *testing.T) {
	for _, limiter := range []struct{ name, config string }{
		{"rate-limiting", "minute: 100000"}, {"response-ratelimiting", "limits: {a: {minute: 100000}}"},
	} {
		t.Run(limiter.name, func(t *testing.T) {
			ours, theirs := newRedis(t), newRedis(t)
			s := newScene(t, translate.Options{}, "KONG_NGINX_WORKER_PROCESSES=1")
			limit := func(namespace, port, more string) string {
				return s.web(namespace, "web", namespace+".example", "konghq.com/plugins: limit") +
					plugin(namespace, "limit", limiter.name, "{"+limiter.config+", policy: redis, redis: {host: 127.0.0.1, port: "+port+more+"}}")
			}
			s.apply(limit("shop", ours.port(), ", password: of-the-shop") + limit("attacker", theirs.port(), ", database: 1") + limit("guest", ours.port(), ""))
			for range 3 {
				for _, host := range []string{"attacker.example", "shop.example", "guest.example"} {
					s.want(request{host: host}, http.StatusOK)
				}
			}
			if routes, _ := theirs.counted(); len(routes) == 0 || slices.ContainsFunc(routes, func(of map[string]bool) bool { return len(of) != 1 }) {
				t.Errorf("the attacker's Redis counts for %v", routes)
			}
			routes, loggedIn := ours.counted()
			if !slices.Contains(loggedIn, true) || !slices.Contains(loggedIn, false) {
				t.Fatalf("connections that logged in: %v", loggedIn)
			}
			for i, of := range routes {
				if len(of) != 1 {
					t.Errorf("a connection, logged in: %t, counts for %v", loggedIn[i], of)
				}
			}
		})
	}
}
