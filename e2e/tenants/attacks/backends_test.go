package attacks

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/kube-sync/kube-sync/e2e/testcert"
)

// Addresses of servers. Those of lab.GatewayCIDR are local. The gateway's own address is podIP.
const (
	gatewayIP  = "10.245.0.1" // as that of a load balancer: it leads to the gateway
	dnsAddress = "10.245.0.53:53"

	shopIP      = "10.245.1.1"
	shopNextIP  = "10.245.1.2"
	shopTLSIP   = "10.245.1.3"
	strangerIP  = "10.245.2.1" // the attacker's own server
	imposterIP  = "10.245.2.3" // the attacker's, which says that it is shop's
	slowIP      = "10.245.2.5" // the attacker's server that reads no bodies
	collectorIP = "10.245.2.9" // where the attacker's plugins may send logs

	backendPort = "8080"
	tlsPort     = "9443"
	echoPort    = "9000"
)

// metadata are the addresses of clouds' metadata services.
var metadata = []string{"169.254.169.254", "100.100.100.200", "168.63.129.16"}

// trapPort is a port on which only traps listen.
const trapPort = "9999"

// seen is a request that a backend has received.
type seen struct {
	Served, Method, URI, Host string
	Headers                   http.Header
	Body                      int
}

// servers are the servers to which the gateway may, or must not, connect.
type servers struct {
	ca, strangerCA *testcert.Pair
	foreign        [2]string // a certificate and key of the attacker

	mu        sync.Mutex
	uris      []string // of requests to shop's backend
	trapped   []string // connections to traps: address, and what was first sent
	collected []string // requests to the collector
	resolved  map[string]int
	reached   map[int]bool // ports of the collector
}

// startServers starts them for a test.
func startServers(t *testing.T) *servers {
	t.Helper()
	s := &servers{ca: testcert.Authority(nil, "shop's CA"), strangerCA: testcert.Authority(nil, "attacker's CA"), resolved: map[string]int{}, reached: map[int]bool{}}
	foreign := testcert.Server(s.strangerCA, "foreign.attacker.test")
	s.foreign[0], s.foreign[1] = foreign.CertPEM(), foreign.KeyPEM()
	for _, address := range metadata {
		addLocal(t, address+"/32")
	}
	serve(t, shopIP, backendPort, nil, s.noting(echo(shopIP)))
	for _, name := range []string{shopNextIP, strangerIP} {
		serve(t, name, backendPort, nil, echo(name))
	}
	serve(t, slowIP, backendPort, nil, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
		}
	}))
	verified := []string{"verified.shop.test", "verified.attacker.test"}
	serve(t, shopTLSIP, tlsPort, testcert.Server(s.ca, verified...), echo(shopTLSIP))
	serve(t, imposterIP, tlsPort, testcert.Server(s.strangerCA, verified...), echo(imposterIP))
	serve(t, collectorIP, backendPort, nil, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.collected = append(s.collected, r.URL.Path+" "+string(body))
	}))
	accept(t, net.JoinHostPort(shopIP, echoPort), func(c net.Conn) { _, _ = io.Copy(c, c) })
	for _, address := range append([]string{"127.0.0.1", podIP, "::1"}, metadata...) {
		for _, port := range []string{trapPort, "80"} {
			s.trap(t, net.JoinHostPort(address, port))
		}
	}
	for i := range connecting {
		s.reach(t, firstReached+i)
	}
	s.serveDNS(t)
	return s
}

// reach records connections and datagrams to a port of the collector.
func (s *servers) reach(t *testing.T, port int) {
	t.Helper()
	note := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.reached[port] = true
	}
	address := net.JoinHostPort(collectorIP, strconv.Itoa(port))
	accept(t, address, func(net.Conn) { note() })
	receive(t, address, func([]byte) { note() })
}

// forgetReached discards the collector's records.
func (s *servers) forgetReached() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.reached)
}

func (s *servers) isReached(port int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reached[port]
}

// addLocal makes an address local without adding it to an interface.
func addLocal(t *testing.T, cidr string) {
	t.Helper()
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	address, err := netlink.ParseIPNet(cidr)
	if err != nil {
		t.Fatal(err)
	}
	route := &netlink.Route{LinkIndex: loopback.Attrs().Index, Dst: address, Type: 2 /* local */, Table: 255, Scope: netlink.SCOPE_HOST}
	if err := netlink.RouteReplace(route); err != nil {
		t.Fatalf("make %s local: %v", cidr, err)
	}
}

// trap records every connection to an address.
func (s *servers) trap(t *testing.T, address string) {
	t.Helper()
	accept(t, address, func(c net.Conn) {
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		first := make([]byte, 100)
		n, _ := c.Read(first)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.trapped = append(s.trapped, fmt.Sprintf("%s: %q", address, first[:n]))
	})
	receive(t, address, func(packet []byte) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.trapped = append(s.trapped, fmt.Sprintf("%s (UDP): %q", address, packet[:min(len(packet), 100)]))
	})
}

// takeTrapped returns the connections to traps since the last call.
func (s *servers) takeTrapped() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	trapped := s.trapped
	s.trapped = nil
	return trapped
}

// noting records the URIs of requests that have "smuggled" in them.
func (s *servers) noting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.RequestURI, "smuggled") {
			s.mu.Lock()
			s.uris = append(s.uris, r.RequestURI)
			s.mu.Unlock()
		}
		next.ServeHTTP(w, r)
	})
}

// urisOf returns the recorded requests for a path since the last call.
func (s *servers) urisOf(path string) (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, uri := range s.uris {
		if uri == path {
			all = append(all, uri)
		}
	}
	s.uris = nil
	return all
}

// collects reports whether the collector has received a request with a string in it.
func (s *servers) collects(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, request := range s.collected {
		if strings.Contains(request, text) {
			return true
		}
	}
	return false
}

func accept(t *testing.T, address string, handle func(net.Conn)) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				handle(connection)
			}()
		}
	}()
}

func receive(t *testing.T, address string, handle func([]byte)) {
	t.Helper()
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = packets.Close() })
	go func() {
		buffer := make([]byte, 2000)
		for {
			n, _, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			handle(buffer[:n])
		}
	}()
}

func serve(t *testing.T, ip, port string, certificate *testcert.Pair, handler http.Handler) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(ip, port))
	if err != nil {
		t.Fatal(err)
	}
	if certificate != nil {
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate.TLS()}, MinVersion: tls.VersionTLS12})
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
}

// echo answers with the request.
func echo(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(seen{Served: name, Method: r.Method, URI: r.RequestURI, Host: r.Host, Headers: r.Header, Body: int(n)})
	})
}

// Names in DNS. Some have another address after the first query.
const (
	nameOfLoopback = "loopback.attacker.test"
	nameOfPod      = "pod.attacker.test"
	nameOfMetadata = "metadata.attacker.test"
	nameOfServer   = "server.attacker.test"
	nameThatMoves  = "moves.attacker.test"
)

var names = map[string][]string{
	nameOfLoopback: {"127.0.0.1"}, nameOfPod: {podIP}, nameOfMetadata: {metadata[0]}, nameOfServer: {collectorIP},
	nameThatMoves: {collectorIP, "127.0.0.1"},
}

func (s *servers) serveDNS(t *testing.T) {
	t.Helper()
	packets, err := net.ListenPacket("udp", dnsAddress)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = packets.Close() })
	go func() {
		buffer := make([]byte, 2000)
		for {
			n, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			if answer, err := s.resolve(buffer[:n]); err == nil {
				_, _ = packets.WriteTo(answer, from)
			}
		}
	}()
}

func (s *servers) resolve(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) == 0 {
		return nil, fmt.Errorf("not a question: %w", err)
	}
	question := m.Questions[0]
	name := strings.ToLower(strings.TrimSuffix(question.Name.String(), "."))
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	addresses, known := names[name]
	if !known {
		m.RCode = dnsmessage.RCodeNameError
		return m.Pack()
	}
	if question.Type == dnsmessage.TypeA {
		s.mu.Lock()
		address := net.ParseIP(addresses[min(s.resolved[name], len(addresses)-1)]).To4()
		s.resolved[name]++
		s.mu.Unlock()
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 1},
			Body:   &dnsmessage.AResource{A: [4]byte(address)},
		}}
	}
	return m.Pack()
}
