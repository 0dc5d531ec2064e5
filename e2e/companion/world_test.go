package companion

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/kube-sync/kube-sync/e2e/testcert"
)

// world is a model of a gateway. It has a configuration, and the answers that Kong should give with
// it.
type world struct {
	apps    map[string]app
	people  map[string]person
	certs   map[string]int // the number of the certificate, by SNI
	streams []string       // the app that each stream port leads to, or ""
	ports   []int
	all     backends
	tls     []keyPair
}

type app struct {
	weights     map[int]int // by the index of a backend
	algorithm   string
	healthy     bool // has passive health checks
	retries     int
	disabled    bool
	classic     bool   // its route has paths, of different lengths, and no expression
	header      string // what the route wants X-Variant to be, if anything
	added       string // what a plugin of the route adds as X-Added
	auth        string // "", "key" or "basic"
	group       string // the only one let in
	priority    int
	upstreamTag string
}

type person struct {
	key, password, group string
}

// keyPair is a certificate and its key in PEM.
type keyPair struct{ cert, key string }

func keyPairs(t testing.TB, n int) []keyPair {
	t.Helper()
	var pairs []keyPair
	for i := range n {
		pair := testcert.Issue(nil, &x509.Certificate{
			Subject: pkix.Name{CommonName: "test", SerialNumber: fmt.Sprint(i)}, IsCA: true, BasicConstraintsValid: true,
		})
		pairs = append(pairs, keyPair{pair.CertPEM(), pair.KeyPEM()})
	}
	return pairs
}

func newWorld(t testing.TB, k *kong, b backends) *world {
	return &world{
		apps: map[string]app{}, people: map[string]person{}, certs: map[string]int{},
		streams: make([]string, len(k.streams)), ports: k.streams, all: b, tls: keyPairs(t, 4),
	}
}

func (w *world) clone() *world {
	copied := *w
	copied.apps, copied.people, copied.certs = maps.Clone(w.apps), maps.Clone(w.people), maps.Clone(w.certs)
	copied.streams = slices.Clone(w.streams)
	return &copied
}

// id returns an id that depends on the parts only.
func id(parts ...any) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(fmt.Sprint(parts...))).String()
}

// empty returns a configuration in which answers name their worker.
func empty() config {
	c := config{}
	c.put("plugins", entity{"id": id("worker"), "name": "pre-function", "config": entity{
		"header_filter": []string{`ngx.header["X-Worker"] = ngx.worker.id()`},
	}})
	return c
}

func (w *world) config() config {
	c := empty()
	for name, a := range w.apps {
		w.putApp(c, name, a)
	}
	for name, p := range w.people {
		c.put("consumers", entity{"id": id("consumer", name), "username": name, "custom_id": "custom-" + name})
		c.put("keyauth_credentials", entity{"id": id("key", name), "consumer": id("consumer", name), "key": p.key})
		c.put("basicauth_credentials", entity{"id": id("basic", name), "consumer": id("consumer", name), "username": name, "password": p.password})
		if p.group != "" {
			c.put("acls", entity{"id": id("acl", name), "consumer": id("consumer", name), "group": p.group})
		}
	}
	for name, number := range w.certs {
		c.put("certificates", entity{"id": id("cert", name), "cert": w.tls[number].cert, "key": w.tls[number].key})
		c.put("snis", entity{"id": id("sni", name), "name": name, "certificate": id("cert", name)})
	}
	for i, name := range w.streams {
		if name == "" {
			continue
		}
		c.put("services", entity{"id": id("tcp", i), "name": fmt.Sprintf("tcp%d", i), "protocol": "tcp", "host": name + ".tcp", "port": 80})
		c.put("routes", entity{"id": id("tcp", i), "name": fmt.Sprintf("tcp%d", i), "protocols": []string{"tcp"},
			"expression": fmt.Sprintf("net.dst.port == %d", w.ports[i]), "service": id("tcp", i)})
	}
	return c
}

func (w *world) putApp(c config, name string, a app) {
	upstream := entity{"id": id("up", name), "name": name + ".http", "algorithm": a.algorithm}
	if a.upstreamTag != "" {
		upstream["tags"] = []string{a.upstreamTag}
	}
	if a.healthy {
		upstream["healthchecks"] = entity{"passive": entity{"unhealthy": entity{"http_failures": 5, "tcp_failures": 5}}}
	}
	c.put("upstreams", upstream)
	c.put("upstreams", entity{"id": id("tcpup", name), "name": name + ".tcp"})
	for index, weight := range a.weights {
		c.put("targets", entity{"id": id("t", name, index), "upstream": id("up", name), "weight": weight,
			"target": fmt.Sprintf("127.0.0.1:%d", w.all.http[index])})
		c.put("targets", entity{"id": id("tt", name, index), "upstream": id("tcpup", name), "weight": weight,
			"target": fmt.Sprintf("127.0.0.1:%d", w.all.tcp[index])})
	}
	c.put("services", entity{"id": id("s", name), "name": name, "host": name + ".http", "port": 80, "retries": a.retries,
		"enabled": !a.disabled, "tags": []string{"app:" + name}})
	route := entity{"id": id("r", name), "name": name, "service": id("s", name), "protocols": []string{"http"}}
	if a.classic {
		route["hosts"], route["paths"] = []string{name + ".test"}, []string{"/", "/longer", "/longest/path"}
	} else {
		route["expression"], route["priority"] = fmt.Sprintf(`(http.host == "%s.test")`, name), a.priority
		if a.header != "" {
			route["expression"] = fmt.Sprintf(`(http.host == "%s.test") && (http.headers.x_variant == "%s")`, name, a.header)
		}
	}
	c.put("routes", route)
	if a.added != "" {
		c.put("plugins", entity{"id": id("added", name), "name": "response-transformer", "route": id("r", name),
			"config": entity{"add": entity{"headers": []string{"X-Added:" + a.added}}}})
	}
	if a.auth != "" {
		c.put("plugins", entity{"id": id(a.auth, name), "name": a.auth + "-auth", "service": id("s", name)})
	}
	if a.auth != "" && a.group != "" {
		c.put("plugins", entity{"id": id("acl", name), "name": "acl", "service": id("s", name),
			"config": entity{"allow": []string{a.group}}})
	}
}

// wants returns requests for an app with the expected answers.
func (w *world) wants(name string) []want {
	a, ok := w.apps[name]
	base := want{host: name + ".test", path: "/", code: http.StatusOK, added: a.added, headers: map[string]string{}}
	if a.header != "" && !a.classic {
		base.headers["X-Variant"] = a.header
	}
	for index, weight := range a.weights {
		if weight > 0 {
			base.from = append(base.from, w.all.http[index])
		}
	}
	if len(base.from) == 0 {
		base.code = http.StatusServiceUnavailable
	}
	if !ok || a.disabled {
		base.code = http.StatusNotFound
		return []want{base}
	}
	var wants []want
	if a.classic {
		longer := base
		longer.path = "/longest/path/below"
		base, wants = longer, append(wants, base)
	}
	if a.header != "" && !a.classic {
		without := base
		without.headers, without.code = nil, http.StatusNotFound
		wants = append(wants, without)
	}
	if a.auth == "" {
		return append(wants, base)
	}
	wants = nil
	for person, p := range w.people {
		known := base
		known.headers = maps.Clone(base.headers)
		switch a.auth {
		case "key":
			known.headers["apikey"] = p.key
		case "basic":
			known.headers["Authorization"] = basic(person, p.password)
		}
		if a.group != "" && p.group != a.group {
			known.code = http.StatusForbidden
		}
		wants = append(wants, known)
	}
	unknown := base
	unknown.headers, unknown.code = maps.Clone(base.headers), http.StatusUnauthorized
	unknown.headers["apikey"] = "nobody's"
	return append(wants, unknown)
}

func basic(name, password string) string {
	r, _ := http.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth(name, password)
	return r.Header.Get("Authorization")
}

// streamBackends returns the backends of a stream port.
func (w *world) streamBackends(i int) []int {
	var to []int
	for index, weight := range w.apps[w.streams[i]].weights {
		if weight > 0 {
			to = append(to, w.all.tcp[index])
		}
	}
	return to
}
