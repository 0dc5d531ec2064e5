package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/testcert"
)

// TLS on both sides of Gateways that have addresses and ports of their own.
func TestGatewayTLS(t *testing.T) {
	cp, _ := deployed(t, nil)
	t.Run("Clients", func(t *testing.T) { testClientCertificates(t, cp) })
	t.Run("Sessions", func(t *testing.T) { testSessionsOfOtherPorts(t, cp) })
	t.Run("Misdirected", func(t *testing.T) { testMisdirected(t, cp) })
	t.Run("Backends", func(t *testing.T) { testBackendTLS(t, cp) })
}

// caMap is a ConfigMap with certificates that others are verified by.
func caMap(name string, certs ...string) string {
	return fmt.Sprintf("\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata:\n  ca.crt: |\n%s\n---\n", name, indent(strings.Join(certs, ""), 4))
}

// showing is a client that asks for a name and shows a certificate, if there is one.
func showing(t *testing.T, name string, p pair) *tls.Config {
	t.Helper()
	config := &tls.Config{ServerName: name, InsecureSkipVerify: true} // whose certificate it is, is not what is asked
	if p.cert != "" {
		shown, err := tls.X509KeyPair([]byte(p.cert), []byte(p.key))
		if err != nil {
			t.Fatal(err)
		}
		// Whatever the gateway says that it takes.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &shown, nil }
	}
	return config
}

// line is one connection, over which nothing is tried again.
type line struct {
	*tls.Conn
	http2  *http2.ClientConn // nil for HTTP/1.1
	reader *bufio.Reader
}

// open makes a connection. It fails the test if nobody listens.
func open(t *testing.T, address string, config *tls.Config, overHTTP2 bool) (*line, error) {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	_ = connection.SetDeadline(time.Now().Add(time.Minute))
	config = config.Clone()
	if overHTTP2 {
		config.NextProtos = []string{"h2"}
	}
	l := &line{Conn: tls.Client(connection, config)}
	l.reader = bufio.NewReader(l)
	if err := l.HandshakeContext(t.Context()); err != nil {
		return nil, err
	}
	if overHTTP2 {
		l.http2, err = new(http2.Transport).NewClientConn(l)
	}
	return l, err
}

// ask sends a request, and reads the whole answer.
func (l *line) ask(host, path string) (*http.Response, error) {
	q, err := http.NewRequest(http.MethodGet, "https://"+host+path, nil)
	if err != nil {
		return nil, err
	}
	var answer *http.Response
	if l.http2 != nil {
		answer, err = l.http2.RoundTrip(q)
	} else if err = q.Write(l); err == nil {
		answer, err = http.ReadResponse(l.reader, q)
	}
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return answer, err
}

// once asks over a connection of its own.
func once(t *testing.T, address, host string, config *tls.Config, overHTTP2 bool) (*http.Response, error) {
	t.Helper()
	l, err := open(t, address, config, overHTTP2)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	return l.ask(host, "/")
}

const mutualGateway = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: mutual}
spec:
  gatewayClassName: kong
  tls:
    frontend:
      default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: clients}]}}
      perPort:
      - {port: 7443, tls: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: department}]}}}
      - {port: 8443, tls: {validation: {mode: AllowInsecureFallback, caCertificateRefs: [{group: "", kind: ConfigMap, name: clients}]}}}
      - {port: 9443, tls: {}}
  listeners:
  - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}
  - {name: department, port: 7443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}
  - {name: fallback, port: 8443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}
  - {name: open, port: 9443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}
---
`

// Only clients get by that one of those vouches for whom the Gateway names for the port,
// over HTTP/1.1 and HTTP/2, from the first request on and as long as that is so.
func testClientCertificates(t *testing.T, cp *lab.ControlPlane) {
	ns, host := cp.Namespace(t), "shop.example"
	company := newAuthority(nil, "company")
	department := newAuthority(company, "department")
	others := newAuthority(nil, "others")
	chained := department.issue("chained")
	clients := map[string]*tls.Config{
		"none":     showing(t, host, pair{}),
		"stranger": showing(t, host, others.issue("stranger")),
		"known":    showing(t, host, company.issue("known")),
		"short":    showing(t, host, chained),
		"chained":  showing(t, host, pair{cert: chained.cert + department.cert, key: chained.key}),
		"server": showing(t, host, pairOf(testcert.Issue(company.Pair, &x509.Certificate{Subject: pkix.Name{CommonName: "server"},
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}))),
	}
	cp.MustApply(t, ns, keyPair(host).secret("cert")+caMap("clients", others.cert, company.cert)+caMap("department", department.cert)+
		mutualGateway+deployment("web", 1))
	ready(t, cp, ns, 1)
	address := addressOf(t, cp, ns, "mutual")
	intruders := intrude(t, net.JoinHostPort(address, "443"), host, clients["none"])
	cp.MustApply(t, ns, caMap("clients", company.cert)+routeTo("web", "{name: mutual}", host, "web"))
	letBy := map[string]string{"443": "known chained", "7443": "short chained", "8443": "none stranger known short chained server", "9443": "none stranger known short chained server"}
	for port, names := range letBy {
		at := net.JoinHostPort(address, port)
		for _, overHTTP2 := range []bool{false, true} {
			for name := range strings.FieldsSeq(names) {
				eventually.Nil(t, time.Minute, func() error {
					answer, err := once(t, at, host, clients[name], overHTTP2)
					if err != nil || answer.StatusCode != http.StatusOK || answer.ProtoMajor == 2 != overHTTP2 {
						return fmt.Errorf("port %s, client %s, HTTP/2 %t: %+v, %v", port, name, overHTTP2, answer, err)
					}
					return nil
				})
			}
			for name, config := range clients {
				if strings.Contains(" "+names+" ", " "+name+" ") {
					continue
				}
				for range 8 { // several connections meet all workers
					if answer, err := once(t, at, host, config, overHTTP2); err == nil {
						t.Errorf("port %s, client %s, HTTP/2 %t: answered %d, want the connection closed", port, name, overHTTP2, answer.StatusCode)
					}
				}
			}
		}
	}
	if _, err := once(t, net.JoinHostPort(address, "443"), "nobody.example", clients["none"], false); err == nil {
		t.Error("whoever is not let by is told that there is no such host")
	}
	testClientsChange(t, cp, ns, net.JoinHostPort(address, "443"), host, clients, others)
	intruders.end(t)
}

// testClientsChange has others vouch for clients: also connections end that were good.
func testClientsChange(t *testing.T, cp *lab.ControlPlane, ns, address, host string, clients map[string]*tls.Config, others *authority) {
	old, err := open(t, address, clients["known"], false)
	if err == nil {
		_, err = old.ask(host, "/")
	}
	if err != nil {
		t.Fatalf("a good connection: %v", err)
	}
	cp.MustApply(t, ns, caMap("clients", others.cert))
	eventually.Nil(t, time.Minute, func() error {
		if _, err := old.ask(host, "/"); err == nil {
			return errors.New("a connection goes on whose client nobody vouches for any more")
		}
		return nil
	})
	eventually.Nil(t, time.Minute, func() error {
		answer, err := once(t, address, host, clients["stranger"], false)
		if err != nil || answer.StatusCode != http.StatusOK {
			return fmt.Errorf("the new client: %v, %v", answer, err)
		}
		return nil
	})
	if _, err := once(t, address, host, clients["known"], false); err == nil {
		t.Error("the old client is let by")
	}
}

// intruders ask all the time without the right to.
type intruders struct {
	asked, reached atomic.Int32
	cancel         context.CancelFunc
	done           chan struct{}
}

func intrude(t *testing.T, address, host string, config *tls.Config) *intruders {
	ctx, cancel := context.WithCancel(t.Context())
	i := &intruders{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(i.done)
		client := &http.Transport{TLSClientConfig: config.Clone(), DisableKeepAlives: true}
		for ctx.Err() == nil {
			q, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/", nil)
			q.Host = host
			answer, err := client.RoundTrip(q)
			i.asked.Add(1)
			if err == nil {
				answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					i.reached.Add(1)
				}
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	t.Cleanup(func() { cancel(); <-i.done })
	return i
}

func (i *intruders) end(t *testing.T) {
	t.Helper()
	i.cancel()
	<-i.done
	if n := i.reached.Load(); n > 0 || i.asked.Load() == 0 {
		t.Errorf("of %d requests without a certificate %d reached the backend", i.asked.Load(), n)
	}
}

// A session that was made where nobody is asked for a certificate is resumed nowhere else:
// its client is asked, and let by if it has one.
func testSessionsOfOtherPorts(t *testing.T, cp *lab.ControlPlane) {
	ns, host := cp.Namespace(t), "shop.example"
	company := newAuthority(nil, "company")
	cp.MustApply(t, ns, keyPair(host).secret("cert")+caMap("clients", company.cert)+caMap("department", company.cert)+
		mutualGateway+deployment("web", 1)+routeTo("web", "{name: mutual}", host, "web"))
	address := addressOf(t, cp, ns, "mutual")
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			config := showing(t, host, company.issue("client"))
			config.MaxVersion, config.ClientSessionCache = version, tls.NewLRUClientSessionCache(4)
			for _, port := range []string{"443", "9443"} { // both are served
				eventually.Nil(t, time.Minute, func() error {
					for range 10 { // any of which may meet a worker that learns of the endpoint last
						answer, err := once(t, net.JoinHostPort(address, port), host, config, false)
						if err != nil || answer.StatusCode != http.StatusOK {
							return fmt.Errorf("port %s: %v, %v", port, answer, err)
						}
					}
					return nil
				})
			}
			for range 10 {
				for _, port := range []string{"9443", "9443", "443", "443"} {
					l, err := open(t, net.JoinHostPort(address, port), config, false)
					if err != nil {
						t.Fatalf("port %s after the other: %v", port, err)
					}
					if answer, err := l.ask(host, "/"); err != nil || answer.StatusCode != http.StatusOK {
						t.Fatalf("port %s after the other: %v, %v", port, answer, err)
					}
					if port == "443" && l.ConnectionState().DidResume {
						t.Fatal("a session is resumed where clients are asked for a certificate")
					}
					l.Close()
				}
			}
		})
	}
}

// A connection for one listener is none for another, also while a client has it open.
func testMisdirected(t *testing.T, cp *lab.ControlPlane) {
	ns := cp.Namespace(t)
	cp.MustApply(t, ns, newAuthority(nil, "both", "a.example", "b.example", "c.example").secret("cert")+`
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: two}
spec:
  gatewayClassName: kong
  listeners:
  - {name: a, port: 443, protocol: HTTPS, hostname: a.example, tls: {certificateRefs: [{name: cert}]}}
  - {name: b, port: 443, protocol: HTTPS, hostname: b.example, tls: {certificateRefs: [{name: cert}]}}
---
`+deployment("web", 1)+`
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: two}]
  rules: [{backendRefs: [{name: web, port: 80}]}]
`)
	address := net.JoinHostPort(addressOf(t, cp, ns, "two"), "443")
	for _, name := range []string{"a.example", "b.example"} {
		eventually.Nil(t, time.Minute, func() error {
			answer, err := once(t, address, name, showing(t, name, pair{}), true)
			if err != nil || answer.StatusCode != http.StatusOK {
				return fmt.Errorf("%s: %v, %v", name, answer, err)
			}
			return nil
		})
	}
	l, err := open(t, address, showing(t, "a.example", pair{}), true)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, c := range []struct {
			host   string
			status int
		}{{"a.example", 200}, {"b.example", 421}, {"B.Example", 421}, {"c.example", 404}, {"a.example", 200}} {
			answer, err := l.ask(c.host, "/")
			if err != nil || answer.StatusCode != c.status || answer.ProtoMajor != 2 {
				t.Errorf("over a connection for a.example, %s is answered %+v, %v; want %d", c.host, answer, err, c.status)
			}
		}
	}
	// Who asks for no name is served: there is no other listener that the connection is for.
	if answer, err := once(t, address, "b.example", showing(t, "", pair{}), false); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("without a server name: %v, %v", answer, err)
	}
}

// backendGateways show a certificate to backends, or none.
const backendGateways = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shows}
spec:
  gatewayClassName: kong
  tls: {backend: {clientCertificateRef: {name: client}}}
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: hides}
spec:
  gatewayClassName: kong
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: verified}
spec:
  targetRefs: [{group: "", kind: Service, name: verified}, {group: "", kind: Service, name: http2}]
  validation:
    caCertificateRefs: [{group: "", kind: ConfigMap, name: servers}]
    hostname: inside.example
---
apiVersion: v1
kind: Service
metadata: {name: verified}
spec: {selector: {app: secure}, ports: [{name: https, port: 80, targetPort: 8443}]}
---
apiVersion: v1
kind: Service
metadata: {name: http2}
spec: {selector: {app: secure}, ports: [{name: https, port: 80, targetPort: 8443, appProtocol: kubernetes.io/h2c}]}
---
apiVersion: v1
kind: Service
metadata: {name: https}
spec: {selector: {app: secure}, ports: [{name: https, port: 80, targetPort: 8443, appProtocol: https}]}
---
`

// A backend is verified as its policy says, and shown the certificate of the Gateway by
// which a request came.
func testBackendTLS(t *testing.T, cp *lab.ControlPlane) {
	ns, host := cp.Namespace(t), "shop.example"
	servers, clients, others := newAuthority(nil, "servers"), newAuthority(nil, "clients"), newAuthority(nil, "others")
	const both = "{name: shows}, {name: hides}"
	cp.MustApply(t, ns, servers.issue("server", "inside.example").secret("server")+"---"+clients.issue("gateway").secret("client")+
		caMap("servers", servers.cert)+caMap("client-ca", clients.cert)+secureApp+"---"+backendGateways+
		routeTo("verified", both, "verified."+host, "verified")+routeTo("http2", both, "http2."+host, "http2")+routeTo("https", both, "https."+host, "https"))
	ready(t, cp, ns, 1)
	shows, hides := "http://"+addressOf(t, cp, ns, "shows"), "http://"+addressOf(t, cp, ns, "hides")
	for name, protocol := range map[string]string{"verified": "HTTP/1.1", "http2": "HTTP/2.0", "https": "HTTP/1.1"} {
		wantBackend(t, shows, name+"."+host, func(e reply) error {
			asked := map[string]string{"verified": "inside.example", "http2": "inside.example", "https": "https." + host}[name]
			if e.StatusCode != 200 || e.Protocol != protocol || e.Host != name+"."+host || e.Handshake.ServerName != asked || strings.Join(e.Handshake.ClientCNs, "") != "gateway" {
				return fmt.Errorf("answered %d; the backend was sent %s %q, asked for %q by %q", e.StatusCode, e.Protocol, e.Host, e.Handshake.ServerName, e.Handshake.ClientCNs)
			}
			return nil
		})
		// The backend has no business with nobody.
		wantBackend(t, hides, name+"."+host, status(http.StatusBadGateway))
	}
	for _, step := range []struct {
		cas    string
		status int
	}{{others.cert, 502}, {servers.cert, 200}, {"nothing", 500}, {others.cert + servers.cert, 200}} {
		cp.MustApply(t, ns, caMap("servers", step.cas))
		wantBackend(t, shows, "verified."+host, status(step.status))
		wantBackend(t, shows, "https."+host, status(http.StatusOK))
	}
}

func wantBackend(t *testing.T, origin, host string, check func(reply) error) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		for range 4 { // all workers of all pods, as far as luck has it
			e, err := askAt(origin, http.MethodGet, host, "/")
			if err != nil {
				return err
			}
			if err := check(e); err != nil {
				return fmt.Errorf("%s: %w", host, err)
			}
		}
		return nil
	})
}

func status(want int) func(reply) error {
	return func(e reply) error {
		if e.StatusCode != want {
			return fmt.Errorf("answered %d, want %d", e.StatusCode, want)
		}
		return nil
	}
}

// A Kong that cannot ask for certificates serves nobody where they are asked for, and all
// others.
func TestClientCertificatesWithoutPlugin(t *testing.T) {
	cp, _ := deployed(t, map[string]string{"KONG_PLUGINS": "bundled,kube-sync-delta,kube-sync-http,kube-sync-ports"})
	ns, host := cp.Namespace(t), "shop.example"
	company := newAuthority(nil, "company")
	cp.MustApply(t, ns, keyPair(host).secret("cert")+caMap("clients", company.cert)+caMap("department", company.cert)+
		mutualGateway+deployment("web", 1))
	ready(t, cp, ns, 1)
	address := addressOf(t, cp, ns, "mutual")
	client := showing(t, host, company.issue("client"))
	intruders := intrude(t, net.JoinHostPort(address, "443"), host, client)
	cp.MustApply(t, ns, routeTo("web", "{name: mutual}", host, "web"))
	for port, status := range map[string]int{"9443": http.StatusOK, "443": http.StatusServiceUnavailable, "7443": http.StatusServiceUnavailable} {
		eventually.Nil(t, time.Minute, func() error {
			answer, err := once(t, net.JoinHostPort(address, port), host, client, false)
			if err != nil || answer.StatusCode != status {
				return fmt.Errorf("port %s: %v, %v; want %d", port, answer, err, status)
			}
			return nil
		})
	}
	intruders.end(t)
}
