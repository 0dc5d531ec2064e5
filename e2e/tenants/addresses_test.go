package tenants

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// trap is an address of the gateway's host. Some names resolve to it.
const trap = "127.0.0.4"

// startTrap starts the trap and counts its connections and datagrams.
func startTrap(t *testing.T) (port string, reached *atomic.Int32) {
	t.Helper()
	tcp, err := net.Listen("tcp", trap+":0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = tcp.Close(), udp.Close() })
	_, port, _ = net.SplitHostPort(tcp.Addr().String())
	reached = &atomic.Int32{}
	go func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			reached.Add(1)
			_ = c.Close()
		}
	}()
	go func() {
		for buffer := make([]byte, 64<<10); ; {
			if _, _, err := udp.ReadFrom(buffer); err != nil {
				return
			}
			reached.Add(1)
		}
	}()
	return port, reached
}

// leading returns an Ingress of the attacker, its Service, and an EndpointSlice if addresses are given.
func leading(name, port, service, kind, addresses string, annotations ...string) string {
	text := fmt.Sprintf(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %[1]s, namespace: attacker}
spec:
  ingressClassName: kong
  rules: [{host: %[1]s.attacker.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: %[1]s, port: {number: %[2]s}}}}]}}]
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s, namespace: attacker, annotations: {%[4]s}}
spec: {%[3]s ports: [{name: http, port: %[2]s}]}
---
`, name, port, service, strings.Join(annotations, ", "))
	if addresses == "" {
		return text
	}
	return text + fmt.Sprintf(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[1]s-1, namespace: attacker, labels: {kubernetes.io/service-name: %[1]s}}
addressType: %[3]s
ports: [{name: http, port: %[2]s}]
endpoints: [{addresses: ['%[4]s'], conditions: {ready: true}}]
---
`, name, port, kind, addresses)
}

// Endpoints, names and plugins of one namespace do not reach the gateway's own addresses in any
// spelling, and other namespaces are not affected.
func TestAddressesOfTheGatewayAreOutOfReach(t *testing.T) {
	port, reached := startTrap(t)
	hosts := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(hosts, []byte(trap+" trap.test upstream.attacker.svc\n127.0.0.1 friend.test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newScene(t, translate.Options{Backend: backend.Options{
		AllowExternalName: true, Addresses: address.Policy{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}},
	}}, "KONG_DNS_HOSTSFILE="+hosts, "KONG_PLUGINSERVER_KUBE_SYNC_ALLOW_LOOPBACK_BACKENDS=false", "KONG_PLUGINSERVER_KUBE_SYNC_ALLOWED_ADDRESSES=127.0.0.1")
	s.apply(s.web("shop", "web", "shop.example"))
	s.want(request{host: "shop.example"}, http.StatusOK)
	before := s.Workers()

	attacks := map[string]string{
		"literal":    leading("literal", port, "", "IPv4", trap),
		"mapped":     leading("mapped", port, "", "IPv6", "::ffff:"+trap),
		"nat64":      leading("nat64", port, "", "IPv6", "64:ff9b::"+trap),
		"fqdn":       leading("fqdn", port, "", "FQDN", "trap.test"),
		"localhost":  leading("localhost", port, "", "FQDN", "localhost"),
		"short":      leading("short", port, "", "FQDN", "127.4"),
		"name":       leading("name", port, "type: ExternalName, externalName: trap.test,", "", ""),
		"address":    leading("address", port, "type: ExternalName, externalName: "+trap+",", "", ""),
		"upstream":   leading("upstream", port, "", "", "", "ingress.kubernetes.io/service-upstream: 'true'"),
		"metadata":   leading("metadata", port, "", "IPv4", "169.254.169.254"),
		"friend":     leading("friend", portOf(s.backend), "type: ExternalName, externalName: friend.test,", "", ""),
		"from-logs":  s.web("attacker", "from-logs", "from-logs.attacker.example", "konghq.com/plugins: 'http,tcp,udp'"),
		"literally":  s.web("attacker", "literally", "literally.attacker.example", "konghq.com/plugins: literal"),
		"from-redis": s.web("attacker", "from-redis", "from-redis.attacker.example", "konghq.com/plugins: redis"),
	}
	manifests := plugin("attacker", "http", "http-log", fmt.Sprintf("{http_endpoint: 'http://trap.test:%s/', queue: {max_retry_time: 0.1}}", port)) +
		plugin("attacker", "tcp", "tcp-log", fmt.Sprintf("{host: trap.test, port: %s}", port)) +
		plugin("attacker", "literal", "tcp-log", fmt.Sprintf("{host: %s, port: %s}", trap, port)) +
		plugin("attacker", "udp", "udp-log", fmt.Sprintf("{host: trap.test, port: %s}", port)) +
		plugin("attacker", "redis", "rate-limiting", fmt.Sprintf("{minute: 1000, policy: redis, redis: {host: trap.test, port: %s}}", port))
	for _, attack := range attacks {
		manifests += attack
	}
	victim := s.watchOver(request{host: "shop.example"})
	s.apply(manifests)
	for name := range attacks {
		status := http.StatusServiceUnavailable
		if name == "friend" || strings.HasPrefix(name, "from-") {
			status = http.StatusOK
		}
		s.want(request{host: name + ".attacker.example"}, status)
	}
	begun := time.Now()
	s.apply(s.web("shop", "other", "other.shop.example"))
	s.want(request{host: "other.shop.example"}, http.StatusOK)
	t.Logf("a change of the victim takes %s meanwhile", time.Since(begun).Round(time.Millisecond))
	time.Sleep(time.Second) // logs are sent later
	if asked, failed := victim(); failed > 0 || asked == 0 {
		t.Errorf("%d of %d requests of the victim failed", failed, asked)
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("the trap was reached %d times", n)
	}
	if after := s.Workers(); !slices.Equal(after, before) {
		t.Errorf("workers were %v and are %v", before, after)
	}
	for key, says := range map[unit.Key]string{
		{Kind: unit.EndpointSlice, Namespace: "attacker", Name: "literal-1"}:  "AddressNotAllowed: endpoints[0].addresses[0]: 127.0.0.4 is a loopback address",
		{Kind: unit.EndpointSlice, Namespace: "attacker", Name: "nat64-1"}:    "AddressNotAllowed: endpoints[0].addresses[0]: 64:ff9b::127.0.0.4 is a loopback address",
		{Kind: unit.EndpointSlice, Namespace: "attacker", Name: "metadata-1"}: "AddressNotAllowed: endpoints[0].addresses[0]: 169.254.169.254 is a link-local address",
		{Kind: unit.EndpointSlice, Namespace: "attacker", Name: "short-1"}:    `EndpointInvalid: endpoints[0].addresses[0]: "127.4" is neither`,
		{Kind: unit.Service, Namespace: "attacker", Name: "address"}:          "AddressNotAllowed: spec.externalName: 127.0.0.4 is a loopback address",
	} {
		if got := s.verdicts(key); !strings.Contains(got, says) {
			t.Errorf("%s: the verdicts are %q, want %q", key, got, says)
		}
	}
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// watchOver sends requests until the returned function is called. That returns the number of requests, and of
// those that were not answered 200.
func (s *scene) watchOver(r request) (end func() (asked, failed int)) {
	done := make(chan struct{})
	var asked, failed int
	var asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
			asked++
			if a, err := s.ask(r); err != nil || a.status != http.StatusOK {
				failed++
			}
		}
	})
	return func() (int, int) {
		close(done)
		asking.Wait()
		return asked, failed
	}
}
