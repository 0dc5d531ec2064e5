package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// What install.yaml calls the gateway's own objects.
const (
	gatewayNamespace = "kong"
	gatewayAccount   = "kube-sync"
)

var kindLine = regexp.MustCompile(`(?m)^kind: (\w+)$`)

// only gives the documents of a manifest that are of the kinds.
func only(manifests string, kinds ...string) string {
	var kept []string
	for document := range strings.SplitSeq(manifests, "\n---\n") {
		if kind := kindLine.FindStringSubmatch(document); kind != nil && slices.Contains(kinds, kind[1]) {
			kept = append(kept, document)
		}
	}
	return strings.Join(kept, "\n---\n")
}

// isManifest tells Kubernetes objects from other YAML, such as a chart's values.
func isManifest(text string) bool { return kindLine.MatchString(text) }

// pair is a TLS key pair in PEM.
type pair struct{ cert, key string }

func keyPair(t *testing.T, host string) pair {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pair{
		cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		key:  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})),
	}
}

// secret is a manifest of the pair.
func (p pair) secret(name string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {name: %s}
type: kubernetes.io/tls
data: {tls.crt: %s, tls.key: %s}
`, name, base64.StdEncoding.EncodeToString([]byte(p.cert)), base64.StdEncoding.EncodeToString([]byte(p.key)))
}
