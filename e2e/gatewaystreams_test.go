package e2e

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// TestStreamRoutes has TCPRoutes, UDPRoutes and TLSRoutes lead to pods, by ports that Kong
// listens at and, of TLS, by the server name. What changes is a delta.
func TestStreamRoutes(t *testing.T) {
	cp := cluster(t)
	gatewayKinds(t, cp)
	testStreams(t, cp, streamGateway(t, cp))
}

// streams is a gateway with ports for streams: one for connections and datagrams, and one for TLS.
type streams struct {
	*pod.Pod
	shared, encrypted string
}

func streamGateway(t *testing.T, cp *lab.ControlPlane) streams {
	t.Helper()
	shared, encrypted := freeport.Address(t), freeport.Address(t)
	gw := pod.Start(t, pod.Options{Credentials: credentials(t, cp), Name: "gateway-0",
		Settings: map[string]string{"PUBLISH_STATUS_ADDRESS": "192.0.2.9"},
		Kong: map[string]string{
			"STREAM_LISTEN": shared + ", " + shared + " udp reuseport, " + encrypted + " ssl",
		}})
	gw.NeedKong()
	return streams{gw, shared, encrypted}
}

func testStreams(t *testing.T, cp *lab.ControlPlane, gw streams) {
	shared, encrypted := gw.shared, gw.encrypted
	before := loads(t, gw.Pod)
	ns := cp.Namespace(t)
	host := ns + ".example"
	key := keyPair("tls." + host)
	cp.MustApply(t, ns, key.secret("cert")+"---"+streaming(deployment("one", 2))+"---"+streaming(deployment("web", 1))+fmt.Sprintf(`
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: streams}
spec:
  gatewayClassName: kong
  listeners:
  - {name: tcp, port: %[1]s, protocol: TCP}
  - {name: udp, port: %[1]s, protocol: UDP}
  - {name: terminate, port: %[2]s, protocol: TLS, hostname: tls.%[3]s, tls: {mode: Terminate, certificateRefs: [{name: cert}]}}
  - {name: passthrough, port: %[2]s, protocol: TLS, hostname: "*.%[3]s", tls: {mode: Passthrough}}
`, port(shared), port(encrypted), host)+
		streamRoute("TCPRoute", "lines", "tcp", "", "{name: one, port: 9000, weight: 3}, {name: web, port: 9000, weight: 1}")+
		streamRoute("UDPRoute", "datagrams", "udp", "", "{name: web, port: 9000}")+
		streamRoute("TLSRoute", "terminate", "terminate", "tls."+host, "{name: web, port: 9000}")+
		streamRoute("TLSRoute", "passthrough", "passthrough", "*."+host, "{name: one, port: 9000}"))

	pods := ready(t, cp, ns, 3)
	web := pods[2:]
	t.Run("weights", func(t *testing.T) {
		// A worker may still have the route of a namespace that had the port before.
		eventually.Nil(t, time.Minute, func() error { return shares(shared, 400, map[string]int{"one-": 300, "web-": 100}) })
	})
	t.Run("a port of both transports", func(t *testing.T) {
		eventually.Nil(t, time.Minute, func() error { return echoes("udp", shared, web) })
		if err := shares(shared, 40, map[string]int{"one-": 30, "web-": 10}); err != nil {
			t.Error(err)
		}
	})
	t.Run("TLS ends or passes through", func(t *testing.T) {
		wantCertificate(t, encrypted, "tls."+host, key)
		eventually.Nil(t, time.Minute, func() error { return answered(lineOverTLS(encrypted, "tls."+host, key))("web-") })
		// The pods are given the handshake as it is, and it is lines to them.
		eventually.Nil(t, time.Minute, func() error { return passes(encrypted, "A.b."+host, "one-") })
		if err := passes(encrypted, "elsewhere.example", "one-"); err == nil {
			t.Error("a name that nobody has passes through")
		}
	})
	t.Run("changes", func(t *testing.T) {
		scale(t, cp, ns, 0)
		ready(t, cp, ns, 2)
		// The share of those that are gone is closed, and not the others'.
		eventually.Nil(t, time.Minute, func() error { return shares(shared, 200, map[string]int{"one-": 150, "": 50}) })
		scale(t, cp, ns, 1)
		second := ready(t, cp, ns, 3)[2:]
		eventually.Nil(t, time.Minute, func() error { return echoes("udp", shared, second) })
		eventually.Nil(t, time.Minute, func() error { return shares(shared, 40, map[string]int{"one-": 30, "web-": 10}) })
		other := keyPair("tls." + host)
		cp.MustApply(t, ns, other.secret("cert"))
		wantCertificate(t, encrypted, "tls."+host, other)
		cp.MustApply(t, ns, streamRoute("UDPRoute", "datagrams", "udp", "", "{name: nowhere, port: 9000}"))
		eventually.Nil(t, time.Minute, func() error {
			if err := echoes("udp", shared, second); err == nil {
				return fmt.Errorf("datagrams to a Service that does not exist are answered")
			}
			return nil
		})
		if n := loads(t, gw.Pod); n != before {
			t.Errorf("the whole configuration was loaded %d times for changes", n-before)
		}
	})
}

func streamRoute(kind, name, section, host, backends string) string {
	if host != "" {
		host = fmt.Sprintf("hostnames: [%q]", host)
	}
	return fmt.Sprintf(`
---
apiVersion: gateway.networking.k8s.io/v1
kind: %s
metadata: {name: %s}
spec:
  parentRefs: [{name: streams, sectionName: %s}]
  %s
  rules: [{backendRefs: [%s]}]
`, kind, name, section, host, backends)
}

// shares is nil if of n connections each app answers about as many as it is to; "" is for
// those that are closed.
func shares(address string, n int, want map[string]int) error {
	got := map[string]int{}
	for range n {
		line, err := lineOver(address)
		if app, _, ok := strings.Cut(line, "-"); err == nil && ok {
			got[app+"-"]++
		} else {
			got[""]++
		}
	}
	for app := range got {
		// What is closed is drawn. Of what Kong balances each worker is right by itself.
		if off := got[app] - want[app]; off*off > 4+n || want[app] == 0 {
			return fmt.Errorf("of %d connections the apps answer %v; want about %v", n, got, want)
		}
	}
	return nil
}

func lineOver(address string) (string, error) {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := fmt.Fprintln(conn, "hello"); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}

// answered is nil if it is the app that answers.
func answered(line string, err error) func(app string) error {
	return func(app string) error {
		if err == nil && !strings.HasPrefix(line, app) {
			err = fmt.Errorf("%q is not of the app %s", line, app)
		}
		return err
	}
}

// passes is nil if a pod of the app gets a client's handshake for a server name.
func passes(address, name, app string) error {
	hello, err := clientHello(name)
	if err != nil {
		return err
	}
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Write(append(hello, '\n')); err != nil {
		return err
	}
	return answered(bufio.NewReader(conn).ReadString('\n'))(app)
}

// loads counts how often the gateway loaded its whole configuration.
func loads(t *testing.T, gw *pod.Pod) int {
	t.Helper()
	log, err := gw.Log()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(log, "delta=false")
}

// clientHello is the first message of a client that asks for a server name.
func clientHello(name string) ([]byte, error) {
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	go func() { _ = tls.Client(there, &tls.Config{ServerName: name}).Handshake() }()
	_ = here.SetDeadline(time.Now().Add(5 * time.Second))
	message := make([]byte, 16<<10)
	n, err := here.Read(message)
	return message[:n], err
}
