package datapath

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/testcert"
	"github.com/kube-sync/kube-sync/translate/route"
)

// clientPair returns a client's certificate and its key in PEM.
func clientPair(issuer *testcert.Pair, name string) (cert, key string) {
	pair := testcert.Issue(issuer, &x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return pair.CertPEM(), pair.KeyPEM()
}

// serverNames are the names in server certificates.
var serverNames = x509.Certificate{
	DNSNames: []string{"abc.example.com", "*.wild.example.com"},
	URIs:     []*url.URL{{Scheme: "spiffe", Host: "abc.example.com", Path: "/test-identity"}},
}

// secureEndpoint starts a backend over TLS. It answers the protocol, the server name and the name of the client.
func secureEndpoint(t *testing.T, issuer *testcert.Pair, asks tls.ClientAuthType) string {
	template := serverNames
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		who := "nobody"
		if len(q.TLS.PeerCertificates) > 0 {
			who = q.TLS.PeerCertificates[0].Subject.CommonName
		}
		_, _ = fmt.Fprintf(w, "%s %s %s", q.Proto, q.TLS.ServerName, who)
	}))
	pool := x509.NewCertPool()
	pool.AddCert(issuer.Certificate)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{testcert.Issue(issuer, &template).TLS()}, ClientAuth: asks, ClientCAs: pool}
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that reject its certificate
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// A depth limits the number of CA certificates between the backend's and a trusted one, both if Go
// verifies the server name and if there is a list of names.
func TestDepthOfVerification(t *testing.T) {
	root := testcert.Authority(nil, "root")
	between := testcert.Authority(root, "between")
	template := serverNames
	leaf := testcert.Issue(between, &template).TLS()
	leaf.Certificate = append(leaf.Certificate, between.Certificate.Raw)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{leaf}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	for depth, status := range []int{502, 200, 200} {
		for _, hosts := range [][]string{nil, {"abc.example.com"}} {
			s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: secured(server.Listener.Addr().String(),
				route.BackendTLS{ServerName: "abc.example.com", CAs: root.CertPEM(), Hosts: hosts, Depth: &depth})})
			if got, text := s.ask(s.request("k", "GET", "/", nil)); got != status {
				t.Errorf("depth %d, names %v: answered %d %s, want %d", depth, hosts, got, text, status)
			}
		}
	}
}

func secured(target string, t route.BackendTLS) []route.RelayBackend {
	return []route.RelayBackend{{Weight: 1, Targets: []string{target}, TLS: &t}}
}

func TestBackendsAreVerified(t *testing.T) {
	ours, others := testcert.Authority(nil, "ours"), testcert.Authority(nil, "others")
	target := secureEndpoint(t, ours, tls.NoClientCert)
	for name, c := range map[string]struct {
		tls    route.BackendTLS
		status int
	}{
		"name, at no depth":     {route.BackendTLS{ServerName: "abc.example.com", CAs: ours.CertPEM(), Depth: new(int)}, 200},
		"name":                  {route.BackendTLS{ServerName: "abc.example.com", CAs: ours.CertPEM()}, 200},
		"wildcard":              {route.BackendTLS{ServerName: "a.wild.example.com", CAs: ours.CertPEM()}, 200},
		"one of two CAs":        {route.BackendTLS{ServerName: "abc.example.com", CAs: others.CertPEM() + ours.CertPEM()}, 200},
		"another name":          {route.BackendTLS{ServerName: "mismatch.example.com", CAs: ours.CertPEM()}, 502},
		"another CA":            {route.BackendTLS{ServerName: "abc.example.com", CAs: others.CertPEM()}, 502},
		"the system's CAs":      {route.BackendTLS{ServerName: "abc.example.com"}, 502},
		"host":                  {route.BackendTLS{ServerName: "sni.example.com", CAs: ours.CertPEM(), Hosts: []string{"abc.example.com"}}, 200},
		"wildcard as it is":     {route.BackendTLS{ServerName: "sni.example.com", CAs: ours.CertPEM(), Hosts: []string{"*.wild.example.com"}}, 200},
		"another host":          {route.BackendTLS{ServerName: "abc.example.com", CAs: ours.CertPEM(), Hosts: []string{"dce.example.com"}}, 502},
		"URI":                   {route.BackendTLS{ServerName: "sni.example.com", CAs: ours.CertPEM(), URIs: []string{"spiffe://abc.example.com/test-identity"}}, 200},
		"another URI":           {route.BackendTLS{ServerName: "abc.example.com", CAs: ours.CertPEM(), URIs: []string{"spiffe://def.example.com/test-identity"}}, 502},
		"one of both":           {route.BackendTLS{ServerName: "abc.example.com", CAs: ours.CertPEM(), Hosts: []string{"dce.example.com"}, URIs: []string{"spiffe://abc.example.com/test-identity"}}, 200},
		"neither":               {route.BackendTLS{ServerName: "abc.example.com", CAs: ours.CertPEM(), Hosts: []string{"dce.example.com"}, URIs: []string{"spiffe://def.example.com/"}}, 502},
		"host of another CA":    {route.BackendTLS{ServerName: "abc.example.com", CAs: others.CertPEM(), Hosts: []string{"abc.example.com"}}, 502},
		"without verification":  {route.BackendTLS{Unverified: true}, 200},
		"nothing to verify by":  {route.BackendTLS{CAs: ours.CertPEM()}, 503},
		"no certificate at all": {route.BackendTLS{ServerName: "abc.example.com", CAs: "none"}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: secured(target, c.tls)})
			status, text := s.ask(s.request("k", "GET", "/", nil))
			if status != c.status {
				t.Fatalf("answered %d %s, want %d", status, text, c.status)
			}
			if want := "HTTP/1.1 " + c.tls.ServerName + " nobody"; status == 200 && text != want {
				t.Errorf("the backend was asked %q, want %q", text, want)
			}
		})
	}
}

// The backend gets the client certificate of the rule, also over HTTP/2.
func TestCertificatesAreShown(t *testing.T) {
	ours, others := testcert.Authority(nil, "ours"), testcert.Authority(nil, "others")
	target := secureEndpoint(t, ours, tls.RequireAndVerifyClientCert)
	known, knownKey := clientPair(ours, "gateway")
	unknown, unknownKey := clientPair(others, "stranger")
	for name, c := range map[string]struct {
		tls    route.BackendTLS
		http2  bool
		status int
		want   string
	}{
		"known":      {route.BackendTLS{ServerName: "abc.example.com", CAs: ours.CertPEM(), Certificate: known, Key: knownKey}, false, 200, "HTTP/1.1 abc.example.com gateway"},
		"HTTP/2":     {route.BackendTLS{ServerName: "abc.example.com", CAs: ours.CertPEM(), Certificate: known, Key: knownKey}, true, 200, "HTTP/2.0 abc.example.com gateway"},
		"unverified": {route.BackendTLS{Unverified: true, Certificate: known, Key: knownKey}, false, 200, "HTTP/1.1  gateway"},
		"none":       {route.BackendTLS{ServerName: "abc.example.com", CAs: ours.CertPEM()}, false, 502, ""},
		"unknown":    {route.BackendTLS{ServerName: "abc.example.com", CAs: ours.CertPEM(), Certificate: unknown, Key: unknownKey}, false, 502, ""},
		"no pair":    {route.BackendTLS{ServerName: "abc.example.com", CAs: ours.CertPEM(), Certificate: known, Key: unknownKey}, false, 503, ""},
	} {
		t.Run(name, func(t *testing.T) {
			backends := secured(target, c.tls)
			backends[0].HTTP2 = c.http2
			s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: backends})
			status, text := s.ask(s.request("k", "GET", "/", nil))
			if status != c.status || c.want != "" && text != c.want {
				t.Errorf("answered %d %s, want %d %s", status, text, c.status, c.want)
			}
		})
	}
}

// If the CAs of a rule change, its next request is verified by the new ones, despite existing
// connections.
func TestCAsChange(t *testing.T) {
	ours, others := testcert.Authority(nil, "ours"), testcert.Authority(nil, "others")
	target := secureEndpoint(t, ours, tls.NoClientCert)
	s := running(t, near)
	for i, c := range []struct {
		cas    string
		status int
	}{{ours.CertPEM(), 200}, {others.CertPEM(), 502}, {others.CertPEM() + ours.CertPEM(), 200}, {others.CertPEM(), 502}} {
		s.Add(entities(route.Relay{Name: "r", Key: "k", Backends: secured(target, route.BackendTLS{ServerName: "abc.example.com", CAs: c.cas})}))
		for range 3 {
			if status, text := s.ask(s.request("k", "GET", "/", nil)); status != c.status {
				t.Errorf("step %d: answered %d %s, want %d", i, status, text, c.status)
			}
		}
	}
}

// A rule can have backends with and without TLS.
func TestSharesWithAndWithoutTLS(t *testing.T) {
	ours := testcert.Authority(nil, "ours")
	backends := secured(secureEndpoint(t, ours, tls.NoClientCert), route.BackendTLS{ServerName: "abc.example.com", CAs: ours.CertPEM()})
	backends = append(backends, to(endpoint(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "plain") }))...)
	s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: backends})
	seen := map[string]int{}
	for range 10 {
		_, text := s.ask(s.request("k", "GET", "/", nil))
		seen[text]++
	}
	if len(seen) != 2 || seen["plain"] != 5 {
		t.Errorf("of 10 requests: %v", seen)
	}
}
