package gateway

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/anything"
	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/explain"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// TestExplainStreamsOnKong opens connections for random server names to a real Kong with random stream
// routes. The route and the endpoint are those that package explain predicts, or the connection is
// closed as predicted.
func TestExplainStreamsOnKong(t *testing.T) {
	s := newStreams(t)
	for world := range uint64(12) {
		s.explore(t, rand.New(rand.NewPCG(world, 3)))
		if t.Failed() {
			t.Fatalf("this was world %d", world)
		}
	}
	if t.Logf("%d connections were routed, and %d closed", s.routed, s.closed); s.routed < 40 || s.closed < 10 {
		t.Error("these are too much alike to show anything")
	}
}

type streams struct {
	ownKong
	pool           gatewayapi.Pool
	tcp, udp       int // of TCPIngresses and UDPIngresses
	routed, closed int
	read           int // bytes of the log
}

func newStreams(t *testing.T) *streams {
	t.Helper()
	kongtest.Need(t)
	s := &streams{pool: gatewayapi.Pool{}, tcp: freeport.Port(t), udp: freeport.Port(t)}
	listens := []string{fmt.Sprintf("127.0.0.1:%d", s.tcp), fmt.Sprintf("127.0.0.1:%d udp", s.udp)}
	for protocol, options := range map[gatewayv1.ProtocolType]string{gatewayv1.TCPProtocolType: "", gatewayv1.TLSProtocolType: " ssl"} {
		for range 2 {
			port := freeport.Port(t)
			s.pool[protocol] = append(s.pool[protocol], int32(port))
			listens = append(listens, fmt.Sprintf("127.0.0.1:%d%s", port, options))
		}
	}
	k := kongtest.Start(t, kongtest.Options{Settings: []string{"KONG_NGINX_ADMIN_ALLOW=unix:; deny all", "KONG_STREAM_LISTEN=" + strings.Join(listens, ","),
		"KONG_PLUGINS=" + ownPlugins + ",observe", "KONG_LUA_PACKAGE_PATH=" + kongtest.LuaPath(t, "testdata/observe")}})
	s.ownKong = ownKong{k, adminOf(t, k)}
	return s
}

// explore applies random stream routes and opens connections.
func (s *streams) explore(t *testing.T, random *rand.Rand) {
	t.Helper()
	o := translate.Options{IngressClass: "kong"}
	o.Gateway.Pool, o.Gateway.NamespacePorts = s.pool, 2
	graph, g := translate.New(o), New(s.admin, noRelay{})
	read, err := manifest.Read("streams.yaml", strings.NewReader(s.manifests(random)), kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range read.Objects {
		graph.Update(unit.Change{Key: m.Key, Object: m.Object})
	}
	if outcome, err := applyPieces(t, g, graph, nil); err != nil || len(outcome.Refusals) > 0 {
		t.Fatalf("%v, refusals:\n%s", err, refusals(outcome))
	}
	s.awaitEffective(t)
	configuration := explain.New(graph)
	for _, url := range []string{
		"tcp://a.example:5000", "tcp://a.example:5001", "tls://a.example:8443", "tls://b.example:8443", "tls://x.a.example:8443", "tls://y.x.a.example:8443",
		"tls://other.test:8443", "tls://A.EXAMPLE:8443", "tls://a.example:9443", "tls://b.example:9443",
		fmt.Sprintf("tcp://a.example:%d", s.tcp), fmt.Sprintf("udp://a.example:%d", s.udp),
	} {
		r, err := explain.Parse(url)
		if err != nil {
			t.Fatal(err)
		}
		s.compare(t, url, r, configuration.Explain(r))
	}
}

// compare opens a connection to the port of Kong that is predicted to take it.
func (s *streams) compare(t *testing.T, url string, r explain.Request, a explain.Answer) {
	t.Helper()
	port := r.Port
	switch {
	case a.Listener != nil:
		port = a.Listener.KongPort
	case r.Port != s.tcp && r.Port != s.udp:
		return // no port of Kong is the listener's
	}
	s.connect(t, r, port)
	id, endpoint := s.observe(t, r)
	switch {
	case a.Route == nil && id == "":
		s.closed++
	case a.Route != nil && id == a.Route.ID && wantBackend(a, a.Backends[0].Upstream, endpoint) == "":
		s.routed++
	default:
		t.Errorf("%s: Kong chose route %q and endpoint %q; predicted: %s", url, id, endpoint, asText(a))
	}
}

func (s *streams) connect(t *testing.T, r explain.Request, port int) {
	t.Helper()
	network := map[string]string{"tcp": "tcp", "tls": "tcp", "udp": "udp"}[r.Scheme]
	connection, err := (&net.Dialer{Timeout: time.Minute}).Dial(network, fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(time.Minute))
	switch r.Scheme {
	case "tls":
		_ = tls.Client(connection, &tls.Config{InsecureSkipVerify: true, ServerName: r.SNI}).Handshake()
	case "udp":
		_, _ = connection.Write([]byte("x"))
	}
}

var observed = regexp.MustCompile(`observed (\S+) (\S+) end|no Route found|no Service found|unexpected protocols`)

// observe returns the id of the route and the endpoint that Kong chose, according to its log; empty if
// it closed the connection.
func (s *streams) observe(t *testing.T, r explain.Request) (id, endpoint string) {
	t.Helper()
	s.Eventually(fmt.Sprintf("Kong's log has the connection to %s:%d", r.Host, r.Port), func() bool {
		log := s.ReadLog()
		found := observed.FindStringSubmatchIndex(log[s.read:])
		if found == nil {
			return false
		}
		if found[2] >= 0 {
			id, endpoint = log[s.read+found[2]:s.read+found[3]], log[s.read+found[4]:s.read+found[5]]
		}
		s.read += found[1]
		return true
	})
	return id, endpoint
}

// manifests returns stream routes of all kinds, with random hosts and ages.
func (s *streams) manifests(random *rand.Rand) string {
	one := func(choices ...string) string { return choices[random.IntN(len(choices))] }
	var b strings.Builder
	cert, key := anything.KeyPair()
	fmt.Fprintf(&b, `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: own}
spec: {controllerName: konghq.com/kic-gateway-controller}
---
apiVersion: v1
kind: Secret
metadata: {name: cert, namespace: shop}
type: kubernetes.io/tls
stringData: {tls.crt: %q, tls.key: %q}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  gatewayClassName: own
  listeners:
  - {name: t0, port: 5000, protocol: TCP}
  - {name: t1, port: 5001, protocol: TCP}
  - {name: s0, port: 8443, protocol: TLS, tls: {mode: Passthrough}}
  - {name: s1, port: 9443, protocol: TLS, hostname: %q, tls: {mode: Terminate, certificateRefs: [{name: cert}]}}
`, cert, key, one("*.example", "a.example"))
	for i := range 2 {
		fmt.Fprintf(&b, `---
apiVersion: v1
kind: Service
metadata: {name: s%[1]d, namespace: shop}
spec: {ports: [{name: main, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: s%[1]d, namespace: shop, labels: {kubernetes.io/service-name: s%[1]d}}
addressType: IPv4
ports: [{name: main, port: 8080}]
endpoints: [{addresses: [10.9.0.%[1]d]}]
`, i)
	}
	created := func() string { return one("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z") }
	for i := range 4 {
		fmt.Fprintf(&b, `---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: r%d, namespace: shop, creationTimestamp: %s}
spec: {parentRefs: [{name: gw, sectionName: %s}], hostnames: [%q], rules: [{backendRefs: [{name: %s, port: 80}]}]}
`, i, created(), one("s0", "s0", "s1"), one("a.example", "b.example", "*.example", "*.a.example", "x.a.example"), one("s0", "s1"))
	}
	fmt.Fprintf(&b, `---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: t, namespace: shop}
spec: {parentRefs: [{name: gw, sectionName: %s}], rules: [{backendRefs: [{name: s0, port: 80}]}]}
`, one("t0", "t1"))
	for i := range 1 + random.IntN(2) {
		fmt.Fprintf(&b, `---
apiVersion: configuration.konghq.com/v1beta1
kind: %s
metadata: {name: i%d, namespace: shop, creationTimestamp: %s, annotations: {kubernetes.io/ingress.class: kong}}
spec: {rules: [{port: %d, backend: {serviceName: %s, servicePort: 80}}]}
`, one("TCPIngress", "UDPIngress"), i, created(), []int{s.tcp, s.udp}[random.IntN(2)], one("s0", "s1"))
	}
	return b.String()
}
