package companion

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// No filter and no plugin of a route changes where a request ends. If a load balancer in front shares the
// connection among clients, the rest would become part of another client's request.
func TestPluginsDoNotFrameRequests(t *testing.T) {
	k, backend := examining(t)
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n"
	transform := func(what string, headers ...string) entity { return entity{what: entity{"headers": headers}} }
	for name, c := range map[string]struct {
		plugin string
		config entity
		ends   bool // the plugin request-termination answers
	}{
		"removed by a plugin":     {"request-transformer", transform("remove", "Content-Length"), false},
		"in small letters":        {"request-transformer", transform("remove", "content-length"), false},
		"renamed by a plugin":     {"request-transformer", transform("rename", "Content-Length:X-Length"), false},
		"set by a plugin":         {"request-transformer", transform("replace", "Content-Length:2"), false},
		"appended by a plugin":    {"request-transformer", transform("append", "Content-Length:2"), false},
		"encoded by a plugin":     {"request-transformer", transform("add", "Transfer-Encoding:chunked"), false},
		"removed by a filter":     {"kube-sync-http", entity{"request": entity{"remove": []string{"Content-Length"}}}, false},
		"set by a filter":         {"kube-sync-http", entity{"request": entity{"set": []entity{{"name": "Content-Length", "value": "2"}}}}, false},
		"added by a filter":       {"kube-sync-http", entity{"request": entity{"add": []entity{{"name": "Content-Length", "value": "2"}}}}, false},
		"removed, and answered":   {"request-transformer", transform("remove", "Content-Length"), true},
		"removed, and redirected": {"kube-sync-http", entity{"request": entity{"remove": []string{"Content-Length"}}, "redirect": entity{"status": 302}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			conf := config{}
			conf.route("shop.test", backend.port)
			conf.plugin("shop.test", c.plugin, c.config)
			if c.ends {
				conf.plugin("shop.test", "request-termination", entity{"status_code": 200, "message": "ended"})
			}
			k.load(conf)
			for _, framing := range []string{fmt.Sprintf("Content-Length: %d", len(smuggled)), "Transfer-Encoding: chunked"} {
				body := smuggled
				if strings.HasPrefix(framing, "Transfer") {
					body = fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled)
				}
				answers := k.wire(lines("POST /first HTTP/1.1", "Host: shop.test", framing) + body)
				seen := backend.take()
				if len(answers) != 1 {
					t.Errorf("%s: %d answers to one request: %v", framing, len(answers), statuses(answers))
				}
				if answered := c.ends || c.config["redirect"] != nil; answered && len(seen) != 0 || !answered && (len(seen) != 1 || seen[0].body != smuggled) {
					t.Errorf("%s: the backend is sent %d requests: %+v", framing, len(seen), seen)
				}
			}
		})
	}
	// A replaced body has its own length.
	conf := config{}
	conf.route("shop.test", backend.port)
	conf.plugin("shop.test", "request-transformer", entity{"add": entity{"body": []string{"c:d"}}})
	k.load(conf)
	answers := k.wire(lines("POST / HTTP/1.1", "Host: shop.test", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 3") + "a=b")
	if seen := backend.take(); len(answers) != 1 || len(seen) != 1 || len(seen[0].body) != 7 || seen[0].ContentLength != 7 {
		t.Errorf("%v %+v", statuses(answers), seen)
	}
	if log := k.file("logs/error.log"); !strings.Contains(log, "a plugin changes the header content-length of requests, which has no effect") {
		t.Error("the log does not say that the changes have no effect")
	}
}

// Nor where a response ends.
func TestPluginsDoNotFrameAnswers(t *testing.T) {
	k, _ := examining(t)
	const content = "okHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
	listener := listen(t)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/chunked" {
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, content)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	port := listener.Addr().(*net.TCPAddr).Port
	transform := func(what string, headers ...string) entity { return entity{what: entity{"headers": headers}} }
	for name, c := range map[string]struct {
		plugin string
		config entity
		ends   bool
	}{
		"set by a plugin":       {"response-transformer", transform("replace", "Content-Length:2"), false},
		"appended by a plugin":  {"response-transformer", transform("append", "Content-Length:2"), false},
		"added by a plugin":     {"response-transformer", transform("add", "content-length:2"), false},
		"removed by a plugin":   {"response-transformer", transform("remove", "Content-Length"), false},
		"encoded by a plugin":   {"response-transformer", transform("add", "Transfer-Encoding:chunked"), false},
		"set by a filter":       {"kube-sync-http", entity{"response": entity{"set": []entity{{"name": "Content-Length", "value": "2"}}}}, false},
		"removed by a filter":   {"kube-sync-http", entity{"response": entity{"remove": []string{"Content-Length"}}}, false},
		"set on Kong's answers": {"response-transformer", transform("replace", "Content-Length:2"), true},
	} {
		t.Run(name, func(t *testing.T) {
			conf := config{}
			conf.route("shop.test", port)
			conf.plugin("shop.test", c.plugin, c.config)
			if c.ends {
				conf.plugin("shop.test", "request-termination", entity{"status_code": 200, "body": content, "content_type": "text/plain"})
			}
			k.load(conf)
			for _, path := range []string{"/", "/chunked"} {
				answers := k.wireTwo(lines("GET "+path+" HTTP/1.1", "Host: shop.test"), lines("GET "+path+" HTTP/1.1", "Host: shop.test", "Connection: close"))
				if got := statuses(answers); !slices.Equal(got, []int{200, 200}) {
					t.Errorf("%s: answers to two requests: %v", path, got)
				}
				for _, a := range answers {
					if body, _ := io.ReadAll(a.Body); string(body) != content {
						t.Errorf("%s: the answer is %q", path, body)
					}
				}
			}
		})
	}
	// Unchanged responses keep their length, also those of Kong itself.
	conf := config{}
	conf.route("shop.test", port)
	conf.route("deaf.test", freeport.Port(t))
	k.load(conf)
	for host, status := range map[string]int{"shop.test": 200, "deaf.test": 502, "nobody.test": 404} {
		answers := k.wire(lines("GET / HTTP/1.1", "Host: "+host, "Connection: close"))
		if len(answers) != 1 || answers[0].StatusCode != status || answers[0].ContentLength <= 0 {
			t.Errorf("%s: %v %+v", host, statuses(answers), answers)
		}
	}
}

// A host name that a plugin builds from a client's input cannot add a line to the header.
func TestPluginsDoNotForgeHost(t *testing.T) {
	k, backend := examining(t)
	for name, c := range map[string]struct {
		host   string
		target string
		status int
		sent   string
	}{
		"written by its owner":    {"inner.test", "/", 200, "inner.test"},
		"with a line break":       {"inner.test\r\nX-Forged: yes", "/", 400, ""},
		"of a client":             {"$(query_params.host)", "/?host=inner.test", 200, "inner.test"},
		"of a client, who forges": {"$(query_params.host)", "/?host=inner.test%0d%0aX-Forged:%20yes", 400, ""},
		"of a client, a null":     {"$(query_params.host)", "/?host=inner.test%00", 400, ""},
	} {
		conf := config{}
		conf.route("shop.test", backend.port)
		conf.plugin("shop.test", "request-transformer", entity{"replace": entity{"headers": []string{"Host:" + c.host}}})
		k.load(conf)
		answers := k.wire(lines("GET "+c.target+" HTTP/1.1", "Host: shop.test", "Connection: close"))
		seen := backend.take()
		if got := statuses(answers); !slices.Equal(got, []int{c.status}) || (c.status == 200) != (len(seen) == 1) || len(seen) == 1 && seen[0].Host != c.sent {
			t.Errorf("%s: %v %+v", name, got, seen)
		}
	}
}

// Routes of two namespaces to one endpoint do not share connections.
func TestNamespacesShareNoConnection(t *testing.T) {
	k, backend := examining(t, "KONG_NGINX_WORKER_PROCESSES=1")
	conf := config{}
	conf.route("shop.test", backend.port)
	conf.route("two.test", backend.port, "tags", []string{"k8s-name:x", "k8s-namespace:shop-test"})
	conf.route("attacker.test", backend.port)
	k.load(conf)
	connections := map[string]map[string]bool{}
	for range 5 {
		for _, host := range []string{"shop.test", "two.test", "attacker.test"} {
			if got := statuses(k.wire(lines("GET / HTTP/1.1", "Host: "+host, "Connection: close"))); !slices.Equal(got, []int{200}) {
				t.Fatal(got)
			}
			if connections[host] == nil {
				connections[host] = map[string]bool{}
			}
			connections[host][backend.take()[0].RemoteAddr] = true
		}
	}
	for host, others := range map[string]string{"shop.test": "attacker.test", "two.test": "attacker.test"} {
		for address := range connections[host] {
			if connections[others][address] {
				t.Errorf("%s and %s use the connection %s", host, others, address)
			}
			if !connections["shop.test"][address] {
				t.Errorf("%s has a connection of its own, and its namespace has %v", host, connections["shop.test"])
			}
		}
	}
}
