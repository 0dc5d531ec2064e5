package proxy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Certificate returns the certificate for a server name: for the name itself, with a
// wildcard for the first label, for the last label, or for "*", in this order. It returns nil
// if there is none.
func (t *Table) Certificate(serverName string) *tls.Certificate {
	name := strings.ToLower(serverName)
	candidates := []string{name}
	if _, rest, ok := strings.Cut(name, "."); ok && strings.Contains(rest, ".") {
		candidates = append(candidates, "*."+rest)
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		candidates = append(candidates, name[:i+1]+"*")
	}
	for _, candidate := range append(candidates, "*") {
		if c := t.snis[candidate]; c != nil {
			return c
		}
	}
	return nil
}

// DefaultCertificate returns a self-signed certificate for names that have none, like Kong's.
func DefaultCertificate() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("default certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost", Organization: []string{"kube-sync stand-in gateway"}},
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("default certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
