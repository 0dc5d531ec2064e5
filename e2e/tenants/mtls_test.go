package tenants

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/testcert"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/unit"
)

const gatewayClass = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: kong}
spec: {controllerName: konghq.com/kic-gateway-controller}
---
`

// TestAMalformedAuthorityIsItsGatewaysOwn has two Gateways with their own ports, which require client certificates. One
// of them refers to an authority that Go reads and OpenSSL does not.
func TestAMalformedAuthorityIsItsGatewaysOwn(t *testing.T) {
	shop, attacker := freeport.Address(t), freeport.Address(t)
	var o translate.Options
	o.Gateway.Pool = gatewayapi.Pool{gatewayv1.HTTPSProtocolType: {numberOfPort(t, shop), numberOfPort(t, attacker)}}
	s := newScene(t, o, "KONG_PROXY_LISTEN="+freeport.Address(t)+" reuseport, "+shop+" ssl reuseport, "+attacker+" ssl reuseport")
	client := testcert.Authority(nil, "clients").TLS()
	want := func(address string, admitted bool) {
		t.Helper()
		for range 8 { // both workers
			status, err := askWith(client, address)
			if admitted && status != http.StatusFound || !admitted && err == nil {
				t.Fatalf("a client with a valid certificate: %d, %v", status, err)
			}
		}
	}
	if refused := s.apply(gatewayClass + validating(t, "shop", 1, client.Certificate[0])); len(refused) > 0 {
		t.Fatalf("refused: %v", refused)
	}
	want(shop, true)
	if refused := s.apply(validating(t, "attacker", 2, withIssuerUniqueID(t, client.Certificate[0]))); len(refused) > 0 {
		t.Errorf("Kong refused %v", refused)
	}
	want(shop, true)
	want(attacker, false)
	if said := s.said("attacker"); !strings.Contains(said, "InvalidCACertificateRef: listener \"https\": ConfigMap attacker/clients: field ca.crt: certificate 1 cannot be read") {
		t.Errorf("the attacker's Gateway is told %q", said)
	}
	if said := s.said("shop"); said != "" {
		t.Errorf("the other Gateway is told %q", said)
	}
	s.apply(validating(t, "attacker", 2, client.Certificate[0]))
	want(shop, true)
	want(attacker, true)
}

// said returns the errors in the status of a namespace's Gateway, one a line.
func (s *scene) said(namespace string) string {
	var lines []string
	for _, v := range s.graph.Status(unit.Gateway.Key(namespace, "web")).Diagnostics() {
		lines = append(lines, v.Reason+": "+v.Message)
	}
	return strings.Join(lines, "\n")
}

func numberOfPort(t *testing.T, address string) int32 {
	t.Helper()
	number, err := strconv.ParseInt(portOf(address), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return int32(number)
}

// withIssuerUniqueID returns a certificate in whose signed part an issuerUniqueID without content comes before the
// extensions.
func withIssuerUniqueID(t *testing.T, der []byte) []byte {
	t.Helper()
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	key := certificate.RawSubjectPublicKeyInfo
	before, extensions, _ := bytes.Cut(contentOf(t, certificate.RawTBSCertificate), key)
	signature := contentOf(t, der)[len(certificate.RawTBSCertificate):]
	malformed := sequence(t, sequence(t, before, key, []byte{0x81, 0}, extensions), signature)
	if _, err := x509.ParseCertificate(malformed); err != nil {
		t.Fatalf("Go does not read it: %v", err)
	}
	return malformed
}

func contentOf(t *testing.T, element []byte) []byte {
	t.Helper()
	var raw asn1.RawValue
	if _, err := asn1.Unmarshal(element, &raw); err != nil {
		t.Fatal(err)
	}
	return raw.Bytes
}

func sequence(t *testing.T, parts ...[]byte) []byte {
	t.Helper()
	der, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: bytes.Join(parts, nil)})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// validating returns a Gateway for clients of an authority, with a route.
func validating(t *testing.T, namespace string, age int, authority []byte) string {
	t.Helper()
	_, pair := keyPair(t, "pair", namespace, "web.example")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority})
	return strings.ReplaceAll(pair, "c1}", fmt.Sprintf("d%d}", age)) + fmt.Sprintf(`
apiVersion: v1
kind: ConfigMap
metadata: {name: clients, namespace: %[1]s}
data: {ca.crt: %[3]q}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: %[1]s, creationTimestamp: "2024-01-0%[2]dT00:00:00Z"}
spec:
  gatewayClassName: kong
  listeners: [{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: pair}]}}]
  tls: {frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: clients}]}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: %[1]s, creationTimestamp: "2024-01-0%[2]dT00:00:00Z"}
spec: {parentRefs: [{name: web}], hostnames: [web.example], rules: [{filters: [{type: RequestRedirect, requestRedirect: {hostname: found.example}}]}]}
---
`, namespace, age, text)
}

// askWith sends a request with a client certificate to a port, and returns the status.
func askWith(certificate tls.Certificate, address string) (int, error) {
	client := &http.Client{
		Timeout:       3 * time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
			InsecureSkipVerify: true, ServerName: "web.example", Certificates: []tls.Certificate{certificate}}}, //nolint:gosec // the server is not what is tested
	}
	request, err := http.NewRequest(http.MethodGet, "https://"+address+"/", nil)
	if err != nil {
		return 0, err
	}
	request.Host = "web.example"
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
