package e2e

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/e2e/testcert"
)

// Names of the gateway's own objects in install.yaml.
const (
	gatewayNamespace = "kong"
	gatewayAccount   = "kube-sync"
)

var kindLine = regexp.MustCompile(`(?m)^kind: (\w+)$`)

// only returns the documents of a manifest that are of the kinds.
func only(manifests string, kinds ...string) string {
	var kept []string
	for document := range strings.SplitSeq(manifests, "\n---\n") {
		if kind := kindLine.FindStringSubmatch(document); kind != nil && slices.Contains(kinds, kind[1]) {
			kept = append(kept, document)
		}
	}
	return strings.Join(kept, "\n---\n")
}

// isManifest reports whether YAML has Kubernetes objects, unlike a chart's values.
func isManifest(text string) bool { return kindLine.MatchString(text) }

// pair is a TLS key pair in PEM.
type pair struct{ cert, key string }

// keyPair returns a self-signed certificate for a host.
func keyPair(host string) pair { return newAuthority(nil, host, host).pair }

// authority is a key pair that can sign certificates.
type authority struct {
	pair
	*testcert.Pair
}

// newAuthority returns an authority that the parent certifies, or a self-signed one if that is nil.
func newAuthority(parent *authority, name string, hosts ...string) *authority {
	var issuer *testcert.Pair
	if parent != nil {
		issuer = parent.Pair
	}
	made := testcert.Authority(issuer, name, hosts...)
	return &authority{pairOf(made), made}
}

// issue signs a certificate for hosts.
func (a *authority) issue(name string, hosts ...string) pair {
	return pairOf(testcert.Issue(a.Pair, &x509.Certificate{Subject: pkix.Name{CommonName: name}, DNSNames: hosts}))
}

func pairOf(made *testcert.Pair) pair { return pair{cert: made.CertPEM(), key: made.KeyPEM()} }

// secret returns a Secret with the pair.
func (p pair) secret(name string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {name: %s}
type: kubernetes.io/tls
data: {tls.crt: %s, tls.key: %s}
`, name, base64.StdEncoding.EncodeToString([]byte(p.cert)), base64.StdEncoding.EncodeToString([]byte(p.key)))
}
