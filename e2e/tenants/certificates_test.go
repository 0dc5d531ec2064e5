package tenants

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/testcert"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// forAll has objects that claim their certificate for all hosts, in each possible way.
const forAll = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: all, namespace: attacker}
spec:
  ingressClassName: kong
  tls: [{secretName: cert}]
  rules: [{host: attacker.example}, {}]
  defaultBackend: {service: {name: web, port: {number: 80}}}
---
apiVersion: configuration.konghq.com/v1beta1
kind: TCPIngress
metadata: {name: all, namespace: attacker, annotations: {kubernetes.io/ingress.class: kong}}
spec:
  tls: [{secretName: cert}]
  rules: [{port: 9000, backend: {serviceName: web, servicePort: 80}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: kong, annotations: {konghq.com/gatewayclass-unmanaged: "true"}}
spec: {controllerName: konghq.com/kic-gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: all, namespace: attacker}
spec:
  gatewayClassName: kong
  listeners: [{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}]
---
`

// TLS without a host is for the hosts of its own rules. Clients of another namespace's host get the same certificate
// as before.
func TestCertificateForAllHosts(t *testing.T) {
	for name, test := range map[string]struct {
		permitted []string
		shown     bool
	}{"by default": {nil, false}, "where an operator permits it": {[]string{"attacker"}, true}} {
		t.Run(name, func(t *testing.T) {
			address := freeport.Address(t)
			s := newScene(t, translate.Options{LastResort: test.permitted}, "KONG_PROXY_LISTEN="+freeport.Address(t)+", "+address+" ssl reuseport")
			s.apply(s.web("shop", "web", "shop.example"))
			before := shownFor(t, address, "shop.example")
			cert, secret := keyPair(t, "cert", "attacker", "attacker.example", "*")
			s.apply(forAll + secret + s.web("attacker", "web", "attacker.example"))
			if got := shownFor(t, address, "attacker.example"); !bytes.Equal(got, cert) {
				t.Error("the attacker's own host does not have its certificate")
			}
			for range 8 { // both workers
				got := shownFor(t, address, "shop.example")
				if want := map[bool][]byte{false: before, true: cert}[test.shown]; !bytes.Equal(got, want) {
					t.Fatalf("for another namespace's host there is a certificate of %s", subject(got))
				}
			}
			for _, kind := range []unit.Kind{unit.Ingress, unit.TCPIngress} {
				said := s.verdicts(unit.Key{Kind: kind, Namespace: "attacker", Name: "all"})
				if strings.Contains(said, "LAST_RESORT_CERTIFICATE_NAMESPACES") == test.shown {
					t.Errorf("%s: %s", kind, said)
				}
			}
		})
	}
}

// keyPair returns a certificate in DER, and a Secret with it.
func keyPair(t *testing.T, name, namespace string, hosts ...string) (der []byte, secret string) {
	t.Helper()
	pair := testcert.Issue(nil, &x509.Certificate{DNSNames: hosts})
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	return pair.Certificate.Raw, fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: %s, uid: %s}\ntype: kubernetes.io/tls\ndata: {tls.crt: %s, tls.key: %s}\n---\n",
		name, namespace, "00000000-0000-4000-8000-0000000000c1", encode(pair.CertPEM()), encode(pair.KeyPEM()))
}

// shownFor returns the certificate for a host, in DER.
func shownFor(t *testing.T, address, host string) []byte {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: host, InsecureSkipVerify: true}) //nolint:gosec // it is looked at
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].Raw
}

func subject(der []byte) string {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(cert.Subject, cert.DNSNames)
}
