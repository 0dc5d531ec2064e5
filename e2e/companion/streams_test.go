package companion

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// TestDatagramEndpointsAreJudged sends datagrams to endpoints with denied addresses, and to one with a
// permitted address.
func TestDatagramEndpointsAreJudged(t *testing.T) {
	port := freeport.Port(t)
	k, l, _ := startGuarded(t, fmt.Sprintf("KONG_STREAM_LISTEN=127.0.0.1:%d udp reuseport", port))
	for i, tt := range []struct {
		host    string
		reached bool
	}{{"127.0.0.1", false}, {"trap.test", false}, {friend, true}, {"localhost", false}, {"[::ffff:7f00:1]", false}, {"127.0.0.4", false}, {"friend.test", true}} {
		c := config{}
		c.put("services", entity{"id": id("s"), "name": fmt.Sprint("datagrams", i), "protocol": "udp", "host": tt.host, "port": l.port, "retries": 0})
		c.put("routes", entity{"id": id("r"), "service": id("s"), "protocols": []string{"udp"}, "expression": fmt.Sprintf("net.dst.port == %d", port), "priority": 1})
		k.load(c)
		before := l.friends.Load()
		connection, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		refusals := k.refusals()
		_, _ = io.WriteString(connection, "datagram")
		k.Eventually("an end of the datagram", func() bool { return l.friends.Load() > before || k.refusals() > refusals || l.traps.Load() > 0 })
		_ = connection.Close()
		if reached := l.friends.Load() > before; reached != tt.reached {
			t.Errorf("%s is reached: %t, want %t\n%s", tt.host, reached, tt.reached, k.Complaints())
		}
	}
	if reached := l.traps.Load(); reached > 0 {
		t.Errorf("traps were reached %d times, at last %s", reached, l.lastTrap.Load())
	}
}

// streaming is a Kong with one worker, in which each namespace may have fewStreams sessions.
type streaming struct {
	*kong
	tcp, other, passing, ending, udp int
}

const fewStreams = 6

func startStreaming(t *testing.T, settings ...string) streaming {
	t.Helper()
	c := streaming{tcp: freeport.Port(t), other: freeport.Port(t), passing: freeport.Port(t), ending: freeport.Port(t), udp: freeport.Port(t)}
	c.kong = start(t, append([]string{
		"KONG_PLUGINS=bundled,kube-sync-delta,kube-sync-ports,kube-sync-request", "KONG_NGINX_WORKER_PROCESSES=1",
		fmt.Sprintf("KONG_STREAM_LISTEN=127.0.0.1:%d, 127.0.0.1:%d, 127.0.0.1:%d ssl, 127.0.0.1:%d ssl, 127.0.0.1:%d udp", c.tcp, c.other, c.passing, c.ending, c.udp),
	}, settings...)...)
	plain, datagrams := echoes(t)
	all := config{}
	for name, s := range map[string]struct {
		protocol, to, namespace string
		port, backend           int
	}{
		"tcp": {"tcp", "tcp", "attacker", c.tcp, plain}, "other": {"tcp", "tcp", "shop", c.other, plain}, "udp": {"udp", "udp", "attacker", c.udp, datagrams},
		"passing": {"tls_passthrough", "tcp", "attacker", c.passing, plain}, "ending": {"tls", "tcp", "attacker", c.ending, plain},
	} {
		all.put("services", entity{"id": id("s" + name), "name": name, "protocol": s.to, "host": "127.0.0.1", "port": s.backend, "read_timeout": 3000, "write_timeout": 3000})
		all.put("routes", entity{
			"id": id("r" + name), "service": id("s" + name), "protocols": []string{s.protocol}, "priority": 1,
			"expression": fmt.Sprintf("net.dst.port == %d", s.port), "tags": []string{"k8s-namespace:" + s.namespace},
		})
	}
	c.load(all)
	return c
}

// echoes are backends that echo, on a port for connections and one for datagrams.
func echoes(t *testing.T) (plain, datagrams int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = listener.Close(), packets.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	go func() {
		buffer := make([]byte, 2000)
		for {
			n, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = packets.WriteTo(buffer[:n], from)
		}
	}()
	of := func(a net.Addr) int { return int(netip.MustParseAddrPort(a.String()).Port()) }
	return of(listener.Addr()), of(packets.LocalAddr())
}

// session opens a session and reports whether it is answered.
func (c streaming) session(network string, port int) (net.Conn, bool) {
	c.t.Helper()
	connection, err := net.Dial(network, fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = connection.Close() })
	return connection, c.echoed(connection)
}

func (c streaming) echoed(connection net.Conn) bool {
	c.t.Helper()
	wait := answersWithin
	if connection.LocalAddr().Network() == "udp" { // a refused datagram has no answer
		wait = 20 * time.Second
	}
	_ = connection.SetDeadline(time.Now().Add(wait))
	one := []byte{1}
	_, err := connection.Write(one)
	if err == nil {
		_, err = io.ReadFull(connection, one)
	}
	return err == nil
}

// fill opens sessions until one is not answered, and returns the answered ones.
func (c streaming) fill(network string, port int) (all []net.Conn) {
	c.t.Helper()
	for range 2 * fewStreams {
		connection, ok := c.session(network, port)
		if !ok {
			return all
		}
		all = append(all, connection)
	}
	return all
}

// emptied waits until a namespace has room for all of its sessions. Sessions of datagrams time out.
func (c streaming) emptied() {
	c.t.Helper()
	c.Eventually("room for as many sessions as at first", func() bool {
		all := c.fill("tcp", c.tcp)
		for _, connection := range all {
			_ = connection.Close()
		}
		return len(all) == fewStreams
	})
}

// TestStreamsOfANamespaceAreCounted opens as many sessions as a namespace may have, and one more.
// Another namespace can still open sessions, and a session that ends makes room.
func TestStreamsOfANamespaceAreCounted(t *testing.T) {
	c := startStreaming(t, fmt.Sprintf("KONG_PLUGINSERVER_KUBE_SYNC_LIMIT_NAMESPACE_STREAM_SESSIONS=%d", fewStreams))
	for _, what := range []struct {
		network string
		port    int
	}{{"tcp", c.tcp}, {"udp", c.udp}} {
		open := c.fill(what.network, what.port)
		if len(open) != fewStreams {
			t.Errorf("%s: %d sessions are open, want %d", what.network, len(open), fewStreams)
		}
		if _, ok := c.session("tcp", c.other); !ok {
			t.Errorf("%s: a session of another namespace is refused", what.network)
		}
		for _, connection := range open {
			if what.network == "tcp" && !c.echoed(connection) {
				t.Error("a session that was open is not any more")
			}
			_ = connection.Close()
		}
		c.emptied()
	}
	if says := "stream routes of namespace attacker have 6 open in this worker; the setting LIMIT_NAMESPACE_STREAM_SESSIONS allows more"; !strings.Contains(c.ReadLog(), says) {
		t.Errorf("the log does not say %q:\n%s", says, c.Complaints())
	}
}

// TestStreamsOfTLSCountTwice opens sessions for which Kong connects to itself, so that half as many are
// permitted.
func TestStreamsOfTLSCountTwice(t *testing.T) {
	c := startStreaming(t, fmt.Sprintf("KONG_PLUGINSERVER_KUBE_SYNC_LIMIT_NAMESPACE_STREAM_SESSIONS=%d", fewStreams))
	for what, port := range map[string]int{"ends in Kong": c.ending, "passes through": c.passing} {
		var open []net.Conn
		for len(open) < fewStreams {
			connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = connection.Close() })
			_ = connection.SetDeadline(time.Now().Add(answersWithin))
			client := tls.Client(connection, &tls.Config{ServerName: "a.test", InsecureSkipVerify: true}) //nolint:gosec // whatever it is
			// The backend echoes, which is not an answer to a handshake.
			err = client.Handshake()
			if port == c.ending && err != nil || err == nil && !c.echoed(client) || err != nil && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)) {
				break
			}
			open = append(open, connection)
		}
		if len(open) != fewStreams/2 {
			t.Errorf("TLS that %s: %d sessions are open, want %d\n%s", what, len(open), fewStreams/2, c.Complaints())
		}
		for _, connection := range open {
			_ = connection.Close()
		}
		c.emptied()
	}
}

// TestStreamsHaveHalfOfTheConnections tests the default limit of a worker with few connections, and no
// limit.
func TestStreamsHaveHalfOfTheConnections(t *testing.T) {
	const connections = 4096 // of which timers of Kong have a thousand
	for setting, want := range map[string]int{"": connections / 4, "KONG_PLUGINSERVER_KUBE_SYNC_LIMIT_NAMESPACE_STREAM_SESSIONS=0": connections/4 + 10} {
		c := startStreaming(t, fmt.Sprintf("KONG_NGINX_EVENTS_WORKER_CONNECTIONS=%d", connections), setting)
		n := 0
		for n < connections/4+10 {
			if _, ok := c.session("tcp", c.tcp); !ok {
				break
			}
			n++
		}
		if n != want {
			t.Errorf("%q: %d sessions are open, want %d\n%s", setting, n, want, c.Complaints())
		}
		c.Stop()
	}
}
