package bench

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

const securePort = 8443

// secureName is the name in the certificate of endpoints with TLS.
const secureName = "inside.example"

// startSecureBackend answers over TLS for all endpoints, and creates a Service for each way in which
// Kong connects to them.
func startSecureBackend(t testing.TB, w *world) {
	t.Helper()
	p := newPair(secureName)
	certificate, err := tls.X509KeyPair(p.cert, p.key)
	must(t, err)
	listener, err := tls.Listen("tcp4", net.JoinHostPort("0.0.0.0", strconv.Itoa(securePort)), &tls.Config{Certificates: []tls.Certificate{certificate}})
	must(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, secureName) })}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	for i, name := range []string{"https", "verified"} {
		w.cp.MustApply(t, w.namespace, fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec: {clusterIP: None, ports: [{name: https, port: 80, appProtocol: https}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[1]s, labels: {kubernetes.io/service-name: %[1]s}}
addressType: IPv4
ports: [{name: https, port: %[3]d}]
endpoints: [{addresses: [%[2]s]}]
`, name, address(4+i), securePort))
	}
	w.cp.MustApply(t, w.namespace, fmt.Sprintf(`
apiVersion: v1
kind: ConfigMap
metadata: {name: servers}
data: {ca.crt: %q}
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: verified}
spec:
  targetRefs: [{group: "", kind: Service, name: verified}]
  validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: servers}], hostname: %s}
`, strings.TrimSpace(string(p.cert)), secureName))
}
