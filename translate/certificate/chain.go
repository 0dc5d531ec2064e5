package certificate

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/vault"
)

// keyPair is a private key with its certificate chain. The first certificate belongs to the key,
// and each of the others issued the one before it.
type keyPair struct {
	chain []x509Certificate
	key   string // in PEM
}

// maxChain is the maximum size of a chain in PEM, in bytes. No client accepts more.
const maxChain = 100 << 10

// keyPairOf returns the key pair in a Secret of the type kubernetes.io/tls.
func keyPairOf(secret *corev1.Secret) (keyPair, error) {
	text, private := secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey]
	// Kong recognizes a reference by its prefix and suffix only, even if there is PEM between them.
	if vault.IsReference(string(text)) || vault.IsReference(string(private)) {
		return keyPair{}, errors.New("it is a reference to a vault, but a TLS key pair must be in the Secret itself")
	}
	if len(text) > maxChain {
		return keyPair{}, fmt.Errorf("the certificates have %d bytes, but clients accept at most %d", len(text), maxChain)
	}
	blocks, err := blocksOf(text)
	if err != nil {
		return keyPair{}, fmt.Errorf("field %s: %w", corev1.TLSCertKey, err)
	}
	all, err := certificatesOf(blocks)
	if err != nil {
		return keyPair{}, fmt.Errorf("field %s: %w", corev1.TLSCertKey, err)
	}
	key, err := keyOf(private)
	if err != nil {
		return keyPair{}, fmt.Errorf("field %s: %w", corev1.TLSPrivateKeyKey, err)
	}
	own := slices.IndexFunc(all, func(c x509Certificate) bool { return isFor(c.parsed, key) })
	if i := slices.IndexFunc(all, func(c x509Certificate) bool { return c.err != nil }); own < 0 && i >= 0 {
		return keyPair{}, fmt.Errorf("field %s: %w", corev1.TLSCertKey, unreadable(i, all[i].err))
	}
	if own < 0 {
		return keyPair{}, fmt.Errorf("the private key in field %s belongs to no certificate in field %s", corev1.TLSPrivateKeyKey, corev1.TLSCertKey)
	}
	written, err := encodedKey(key)
	return keyPair{chain: chainOf(all, own), key: written}, err
}

// isFor reports whether a certificate belongs to a private key.
func isFor(c *x509.Certificate, key privateKey) bool {
	if c == nil {
		return false
	}
	public, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(key.Public())
}

// chainOf returns certificates in the order that clients expect, starting with the one at index
// first. Each is followed by the first certificate of its issuer; certificates outside the chain
// come last. Certificates that already are in this order keep it.
func chainOf(all []x509Certificate, first int) []x509Certificate {
	chain := []x509Certificate{all[first]}
	rest := slices.Delete(slices.Clone(all), first, first+1)
	for len(rest) > 0 {
		last := chain[len(chain)-1].parsed
		next := slices.IndexFunc(rest, func(c x509Certificate) bool { return isIssuer(c.parsed, last) })
		if next < 0 {
			break
		}
		chain = append(chain, rest[next])
		rest = slices.Delete(rest, next, next+1)
	}
	return append(chain, rest...)
}

// isIssuer reports whether issuer can have issued the certificate of, by names and key IDs. It
// verifies no signature, because clients do.
func isIssuer(issuer, of *x509.Certificate) bool {
	return issuer != nil && of != nil && bytes.Equal(issuer.RawSubject, of.RawIssuer) &&
		(len(of.AuthorityKeyId) == 0 || len(issuer.SubjectKeyId) == 0 || bytes.Equal(of.AuthorityKeyId, issuer.SubjectKeyId))
}

// names returns the certificate's DNS names, in lower case.
func (p keyPair) names() []string {
	var names []string
	for _, name := range p.chain[0].parsed.DNSNames {
		names = append(names, strings.ToLower(name))
	}
	return names
}

// fingerprint is the same for pairs with the same certificates.
func (p keyPair) fingerprint() string {
	sum := sha256.New()
	for _, c := range p.chain {
		sum.Write(c.der)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
