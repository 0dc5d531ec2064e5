package tenants

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// forAll wants its certificate for all hosts, in each way that there is.
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

// TLS without a host names those of its own rules. What clients of another namespace's host
// are shown stays what it was.
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

// keyPair is a certificate in DER, and a Secret of it.
func keyPair(t *testing.T, name, namespace string, hosts ...string) (der []byte, secret string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: hosts, NotAfter: time.Now().Add(time.Hour)}
	if der, err = x509.CreateCertificate(rand.Reader, template, template, private.Public(), private); err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) string {
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return der, fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: %s, uid: %s}\ntype: kubernetes.io/tls\ndata: {tls.crt: %s, tls.key: %s}\n---\n",
		name, namespace, "00000000-0000-4000-8000-0000000000c1", encode("CERTIFICATE", der), encode("PRIVATE KEY", key))
}

// shownFor is the certificate that clients of a host are shown, in DER.
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
