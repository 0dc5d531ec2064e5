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

// redis is a server with the part of Redis that rate limiting needs. It accepts all passwords, and counts nothing.
type redis struct {
	listener net.Listener
	mutex    sync.Mutex
	// commands are the commands of each connection.
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

// counted returns the routes for which each connection counted, and whether it logged in.
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

// A namespace's limits are counted in its own Redis, and not in that of another namespace with a numbered database. A
// connection that is logged in with a password is not used without it.
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

// asked returns the number of commands that have a string in them, and the length of the longest command.
func (r *redis) asked(text string) (n, longest int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, commands := range r.commands {
		for _, c := range commands {
			longest = max(longest, len(c))
			if strings.Contains(c, text) {
				n++
			}
		}
	}
	return n, longest
}

// The counters that a worker has not sent to Redis yet are bounded, and half of the room is for other namespaces. A
// plugin may set the interval to a year.
func TestCountersForRedisAreBounded(t *testing.T) {
	server := newRedis(t)
	s := newScene(t, translate.Options{}, "KONG_NGINX_WORKER_PROCESSES=1")
	manifests := ""
	for namespace, rate := range map[string]string{"shop": "31536000", "attacker": "31536000", "often": "1"} {
		manifests += s.web(namespace, "web", namespace+".example", "konghq.com/plugins: limit") +
			plugin(namespace, "limit", "rate-limiting", "{year: 1000000, policy: redis, sync_rate: "+rate+", limit_by: header, header_name: X-Client, "+
				"redis: {host: 127.0.0.1, port: "+server.port()+", username: "+namespace+", password: "+namespace+"}}")
	}
	s.apply(manifests)
	asks := func(host, client string) int {
		t.Helper()
		before, _ := server.asked(client)
		for range 5 {
			if a, err := s.ask(request{host: host, header: map[string]string{"X-Client": client}}); err != nil || a.status != http.StatusOK {
				t.Fatalf("%s: %d, %v", host, a.status, err)
			}
		}
		after, _ := server.asked(client)
		return after - before
	}
	if n := asks("attacker.example", "early"); n != 1 {
		t.Errorf("Redis is asked %d times for a client at first, want once", n)
	}
	s.flood("attacker.example", 100, 7000)
	s.flood("attacker.example", 10_000, 1)
	if n := asks("attacker.example", "late"); n != 5 {
		t.Errorf("Redis is asked %d times for a client beyond the bound, want 5 times", n)
	}
	if n := asks("attacker.example", "early"); n != 0 {
		t.Errorf("Redis is asked %d times for a client within the bound", n)
	}
	if n := asks("shop.example", "another"); n != 1 {
		t.Errorf("Redis is asked %d times for a client of another namespace, want once", n)
	}
	// More than fit, so that some are sent to Redis early.
	s.flood("often.example", 12_000, 1)
	if n := asks("often.example", "later"); n > 3 {
		t.Errorf("Redis is asked %d times for a client after it was told of all others", n)
	}
	if _, longest := server.asked(""); longest > 1000 {
		t.Errorf("a command has %d bytes", longest)
	}
}
