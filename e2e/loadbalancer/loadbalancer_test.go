package loadbalancer_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

const within = 30 * time.Second

// cluster is a cluster with the balancer, and a namespace.
func cluster(t *testing.T) (*lab.ControlPlane, string) {
	t.Helper()
	cp := lab.Shared(t)
	cp.LoadBalancer(t)
	return cp, cp.Namespace(t)
}

// service returns a Service without a selector, whose endpoints the tests set.
func service(name, spec string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %s}
spec:
  type: LoadBalancer
  allocateLoadBalancerNodePorts: false
  ports:
  - {name: lines, port: 80, targetPort: 7000}
  - {name: datagrams, port: 80, targetPort: 7000, protocol: UDP}
%s
---
`, name, spec)
}

// slice returns an EndpointSlice with a Service's endpoints and their conditions.
func slice(service string, endpoints ...string) string {
	return fmt.Sprintf(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[1]s, labels: {kubernetes.io/service-name: %[1]s}}
addressType: IPv4
ports:
- {name: lines, port: 7000}
- {name: datagrams, port: 7000, protocol: UDP}
endpoints: [%[2]s]
---
`, service, strings.Join(endpoints, ", "))
}

func ready(address string) string {
	return fmt.Sprintf("{addresses: [%s], conditions: {ready: true}}", address)
}

func ending(address string, serving bool) string {
	return fmt.Sprintf("{addresses: [%s], conditions: {ready: false, serving: %t, terminating: true}}", address, serving)
}

// addressOf waits for a Service's address.
func addressOf(t *testing.T, cp *lab.ControlPlane, namespace, name string) string {
	t.Helper()
	var address string
	eventually.Nil(t, within, func() error {
		s, err := cp.Client.CoreV1().Services(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if len(s.Status.LoadBalancer.Ingress) != 1 {
			return fmt.Errorf("Service %s has the addresses %v, want one", name, s.Status.LoadBalancer.Ingress)
		}
		address = s.Status.LoadBalancer.Ingress[0].IP
		return nil
	})
	return address
}

// backend answers each line and datagram with its address and the text, and the end of a connection's input with
// "end".
func backend(t *testing.T, address string) {
	t.Helper()
	at := address + ":7000"
	listener, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	socket, err := net.ListenPacket("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = listener.Close(), socket.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					fmt.Fprintf(conn, "%s %s\n", address, lines.Text())
				}
				fmt.Fprintln(conn, "end")
			}()
		}
	}()
	go func() {
		datagram := make([]byte, 100)
		for {
			n, client, err := socket.ReadFrom(datagram)
			if err != nil {
				return
			}
			_, _ = socket.WriteTo([]byte(address+" "+string(datagram[:n])), client)
		}
	}()
}

// client is a connection, or a socket, to port 80.
type client struct {
	net.Conn
	lines *bufio.Reader
}

func dial(network, address string) (*client, error) {
	conn, err := net.DialTimeout(network, address+":80", within)
	if err != nil {
		return nil, err
	}
	return &client{conn, bufio.NewReader(conn)}, nil
}

func mustDial(t *testing.T, network, address string) *client {
	t.Helper()
	c, err := dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// ask sends a word and returns the answer within a time.
func (c *client) ask(word string, within time.Duration) (string, error) {
	_ = c.SetDeadline(time.Now().Add(within))
	if _, err := fmt.Fprintln(c, word); err != nil {
		return "", err
	}
	line, err := c.lines.ReadString('\n')
	return strings.TrimSpace(line), err
}

func (c *client) want(t *testing.T, word, answer string) {
	t.Helper()
	if got, err := c.ask(word, within); err != nil || got != answer {
		t.Fatalf("answer %q, %v; want %q", got, err, answer)
	}
}

// wantAt waits until new connections and sockets get an answer.
func wantAt(t *testing.T, address, answer string) {
	t.Helper()
	for _, network := range []string{"tcp", "udp"} {
		eventually.Nil(t, within, func() error {
			c, err := dial(network, address)
			if err != nil {
				return err
			}
			defer c.Close()
			got, err := c.ask("hello", 2*time.Second)
			if err != nil || got != answer+" hello" {
				return fmt.Errorf("%s: answer %q, %v; want the answer of %s", network, got, err, answer)
			}
			return nil
		})
	}
}

func TestEndpointsAreFollowed(t *testing.T) {
	cp, namespace := cluster(t)
	one, two := "10.245.1.1", "10.245.1.2"
	backend(t, one)
	backend(t, two)
	cp.MustApply(t, namespace, service("app", "")+slice("app", ready(one)))
	address := addressOf(t, cp, namespace, "app")
	wantAt(t, address, one)
	cp.MustApply(t, namespace, slice("app", ending(one, true), ready(two)))
	wantAt(t, address, two)
	cp.MustApply(t, namespace, slice("app", ending(one, true), ending(two, false)))
	wantAt(t, address, one)
	cp.MustApply(t, namespace, slice("app", ending(one, false)))
	eventually.Nil(t, within, func() error {
		c, err := dial("tcp", address)
		if err != nil {
			return err
		}
		defer c.Close()
		if answer, err := c.ask("hello", 2*time.Second); err == nil {
			return fmt.Errorf("without an endpoint the answer is %q", answer)
		}
		return nil
	})
}

func TestEndpointsTakeTurns(t *testing.T) {
	cp, namespace := cluster(t)
	one, two, nobody := "10.245.2.1", "10.245.2.2", "10.245.2.3"
	backend(t, one)
	backend(t, two)
	cp.MustApply(t, namespace, service("app", "")+slice("app", ready(one), ready(nobody), ready(two)))
	address := addressOf(t, cp, namespace, "app")
	eventually.Nil(t, within, func() error {
		c, err := dial("tcp", address)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.ask("hello", within)
		return err
	})
	met := map[string]int{}
	for range 12 {
		answer, err := mustDial(t, "tcp", address).ask("hello", within)
		if err != nil {
			t.Fatal(err)
		}
		met[answer]++
	}
	if met[one+" hello"] < 4 || met[two+" hello"] < 4 {
		t.Errorf("12 connections reached %v", met)
	}
}

func TestConnectionsOutliveChanges(t *testing.T) {
	cp, namespace := cluster(t)
	one, two := "10.245.3.1", "10.245.3.2"
	backend(t, one)
	backend(t, two)
	cp.MustApply(t, namespace, service("app", "")+slice("app", ready(one)))
	address := addressOf(t, cp, namespace, "app")
	wantAt(t, address, one)
	lines, datagrams := mustDial(t, "tcp", address), mustDial(t, "udp", address)
	lines.want(t, "before", one+" before")
	datagrams.want(t, "before", one+" before")

	cp.MustApply(t, namespace, service("other", ""))
	addressOf(t, cp, namespace, "other")
	cp.MustApply(t, namespace, slice("app", ready(one), ready(two)))
	lines.want(t, "between", one+" between")
	datagrams.want(t, "between", one+" between")

	// Connections keep their endpoint. Datagrams go to an endpoint that is ready.
	cp.MustApply(t, namespace, slice("app", ready(two)))
	wantAt(t, address, two)
	lines.want(t, "after", one+" after")
	datagrams.want(t, "after", two+" after")
}

func TestEndOfOneDirectionIsPassedOn(t *testing.T) {
	cp, namespace := cluster(t)
	one := "10.245.4.1"
	backend(t, one)
	cp.MustApply(t, namespace, service("app", "")+slice("app", ready(one)))
	address := addressOf(t, cp, namespace, "app")
	wantAt(t, address, one)
	c := mustDial(t, "tcp", address)
	c.want(t, "hello", one+" hello")
	if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(c.lines); err != nil || string(rest) != "end\n" {
		t.Errorf("answer to the end: %q, %v", rest, err)
	}
}

func TestAddresses(t *testing.T) {
	cp, namespace := cluster(t)
	const wanted = "10.246.200.7"
	cp.MustApply(t, namespace, service("first", "  loadBalancerIP: "+wanted)+service("other", ""))
	if got := addressOf(t, cp, namespace, "first"); got != wanted {
		t.Errorf("address %s, want the one of spec.loadBalancerIP", got)
	}
	if got := addressOf(t, cp, namespace, "other"); got == wanted {
		t.Error("two Services have one address")
	}
	cp.MustApply(t, namespace, service("second", "  loadBalancerIP: "+wanted)+service("foreign", "  loadBalancerIP: 192.0.2.1"))
	for _, name := range []string{"second", "foreign"} {
		wantRefused(t, cp, namespace, name)
	}
	if err := cp.Delete(t.Context(), namespace, service("first", "")); err != nil {
		t.Fatal(err)
	}
	if got := addressOf(t, cp, namespace, "second"); got != wanted {
		t.Errorf("address %s, want the released one", got)
	}
}

// wantRefused waits for the Event that says why a Service has no address.
func wantRefused(t *testing.T, cp *lab.ControlPlane, namespace, name string) {
	t.Helper()
	eventually.Nil(t, within, func() error {
		events, err := cp.Client.CoreV1().Events(namespace).List(t.Context(),
			metav1.ListOptions{FieldSelector: "involvedObject.name=" + name})
		if err != nil {
			return err
		}
		for _, e := range events.Items {
			if e.Reason == "AllocationFailed" && e.Type == corev1.EventTypeWarning {
				return nil
			}
		}
		return fmt.Errorf("Service %s has the events %v", name, events.Items)
	})
	s, err := cp.Client.CoreV1().Services(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil || len(s.Status.LoadBalancer.Ingress) != 0 {
		t.Errorf("Service %s: %v, addresses %v", name, err, s.Status.LoadBalancer.Ingress)
	}
}

func TestPortsAreFollowed(t *testing.T) {
	cp, namespace := cluster(t)
	one := "10.245.5.1"
	backend(t, one)
	cp.MustApply(t, namespace, service("app", "")+slice("app", ready(one)))
	address := addressOf(t, cp, namespace, "app")
	wantAt(t, address, one)
	cp.MustApply(t, namespace, strings.ReplaceAll(service("app", ""), "port: 80", "port: 81"))
	eventually.Nil(t, within, func() error {
		c, err := dial("tcp", address)
		if err != nil {
			return nil
		}
		_ = c.Close()
		return fmt.Errorf("port 80 is still open")
	})
	cp.MustApply(t, namespace, service("app", ""))
	wantAt(t, address, one)
	if again := addressOf(t, cp, namespace, "app"); again != address {
		t.Errorf("the address became %s", again)
	}
}
