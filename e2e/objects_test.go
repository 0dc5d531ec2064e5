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

// keyPair is one whose certificate vouches for itself.
func keyPair(t *testing.T, host string) pair {
	t.Helper()
	return newAuthority(t, nil, host, host).pair
}

// authority is a key pair that certificates can be signed with.
type authority struct {
	pair
	cert    *x509.Certificate
	private *ecdsa.PrivateKey
}

// newAuthority has its certificate from the parent, or from itself where that is nil.
func newAuthority(t *testing.T, parent *authority, name string, hosts ...string) *authority {
	t.Helper()
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, DNSNames: hosts, IsCA: true, BasicConstraintsValid: true}
	return parent.sign(t, template)
}

// issue signs a certificate for hosts.
func (a *authority) issue(t *testing.T, name string, hosts ...string) pair {
	t.Helper()
	return a.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, DNSNames: hosts}).pair
}

func (a *authority) sign(t *testing.T, template *x509.Certificate) *authority {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	parent, signer := template, private
	if a != nil {
		parent, signer = a.cert, a.private
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, private.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert: cert, private: private, pair: pair{
		cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		key:  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})),
	}}
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
