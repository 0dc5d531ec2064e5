package companion

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// The tests of egress allow one address of loopback, the friend's. At the same port of other
// addresses are traps, which nothing may reach.
const (
	friend   = "127.0.0.2"
	resolver = "127.0.0.3"
)

// listeners count connections and datagrams.
type listeners struct {
	port           int
	friends, traps atomic.Int32
	lastTrap       atomic.Value // who was reached, a string
	// backend is another port of the friend, to which requests are routed.
	backend  int
	requests atomic.Int32
}

// startListeners listens on one port of the friend and of the traps, for TCP and UDP.
func startListeners(t testing.TB) *listeners {
	t.Helper()
	l := &listeners{port: freeport.Port(t)}
	l.listen(t, friend, l.port, &l.friends)
	l.backend = freeport.Port(t)
	l.listen(t, friend, l.backend, &l.requests)
	traps := []string{"127.0.0.1", "127.0.0.4"}
	if probe, err := net.Listen("tcp", "[::1]:0"); err == nil {
		_ = probe.Close()
		traps = append(traps, "::1")
	}
	for _, trap := range traps {
		l.listen(t, trap, l.port, &l.traps)
	}
	return l
}

func (l *listeners) listen(t testing.TB, host string, port int, count *atomic.Int32) {
	t.Helper()
	at := netip.AddrPortFrom(netip.MustParseAddr(host), uint16(port)).String()
	tcp, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = tcp.Close(), udp.Close() })
	reached := func(by string) {
		count.Add(1)
		if count == &l.traps {
			l.lastTrap.Store(host + " by " + by)
		}
	}
	go func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			reached("TCP")
			go serve(c)
		}
	}()
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			if _, _, err := udp.ReadFrom(buffer); err != nil {
				return
			}
			reached("UDP")
		}
	}()
}

// serve answers one HTTP request, so that the next one needs another connection, and does not answer
// anything else.
func serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(answersWithin))
	request, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, request.Body)
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
}

// names is a DNS server of the tests. A name's first answer may differ from later ones.
type names struct {
	port    int
	rebound atomic.Bool // rebind.test is the trap from now on
}

// answers returns the address of a name and of its subdomains.
func (n *names) answers(name string) netip.Addr {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	ends := func(suffix string) bool { return name == suffix || strings.HasSuffix(name, "."+suffix) }
	switch {
	case ends("friend.test"), ends("rebind.test") && !n.rebound.Load():
		return netip.MustParseAddr(friend)
	case ends("trap.test"), ends("rebind.test"):
		return netip.MustParseAddr("127.0.0.1")
	case ends("metadata.test"):
		return netip.MustParseAddr("169.254.169.254")
	case ends("unspecified.test"):
		return netip.MustParseAddr("0.0.0.0")
	case ends("trap6.test"):
		return netip.MustParseAddr("::1")
	case ends("mapped.test"):
		return netip.AddrFrom16(netip.MustParseAddr("127.0.0.1").As16())
	}
	return netip.Addr{}
}

// startNames serves DNS at an address that is denied to plugins and backends.
func startNames(t testing.TB) *names {
	t.Helper()
	socket, err := net.ListenPacket("udp", resolver+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	n := &names{port: socket.LocalAddr().(*net.UDPAddr).Port}
	go func() {
		buffer := make([]byte, 4096)
		for {
			read, from, err := socket.ReadFrom(buffer)
			if err != nil {
				return
			}
			if answer := n.answer(buffer[:read]); answer != nil {
				_, _ = socket.WriteTo(answer, from)
			}
		}
	}()
	return n
}

func (n *names) answer(query []byte) []byte {
	var message dnsmessage.Message
	if message.Unpack(query) != nil || len(message.Questions) != 1 {
		return nil
	}
	question := message.Questions[0]
	address := n.answers(question.Name.String())
	message.Response, message.Authoritative, message.RecursionAvailable = true, true, true
	message.Answers, message.Additionals = nil, nil
	header := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 1}
	switch {
	case !address.IsValid():
		message.RCode = dnsmessage.RCodeNameError
	case question.Type == dnsmessage.TypeA && address.Is4():
		message.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: address.As4()}}}
	case question.Type == dnsmessage.TypeAAAA && address.Is6():
		message.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: address.As16()}}}
	}
	packed, err := message.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// startGuarded starts a Kong whose workers connect to no loopback address but the friend's.
func startGuarded(t testing.TB, settings ...string) (*kong, *listeners, *names) {
	t.Helper()
	l, n := startListeners(t), startNames(t)
	k := start(t, append([]string{
		"KONG_PLUGINSERVER_KUBE_SYNC_ALLOW_LOOPBACK_BACKENDS=false", "KONG_PLUGINSERVER_KUBE_SYNC_ALLOWED_ADDRESSES=" + friend,
		fmt.Sprintf("KONG_DNS_RESOLVER=%s:%d", resolver, n.port), "KONG_DNS_ORDER=LAST,A,AAAA,CNAME", "KONG_DNS_STALE_TTL=0", "KONG_DNS_ERROR_TTL=0.1",
	}, settings...)...)
	return k, l, n
}
