// Package testcert makes certificates for tests.
package testcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"
)

// Pair is a certificate with its key. Its methods panic if they fail.
type Pair struct {
	Certificate *x509.Certificate
	Key         *ecdsa.PrivateKey
}

// SelfSigned returns a self-signed certificate for hosts.
func SelfSigned(hosts ...string) *Pair { return Server(nil, hosts...) }

// Server returns a certificate for hosts. The first one is also its name.
func Server(issuer *Pair, hosts ...string) *Pair {
	return Issue(issuer, &x509.Certificate{Subject: pkix.Name{CommonName: hosts[0]}, DNSNames: hosts})
}

// Authority returns the certificate of an authority.
func Authority(issuer *Pair, name string, hosts ...string) *Pair {
	return Issue(issuer, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: hosts, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	})
}

// Issue returns a certificate from a template, which needs neither a serial number nor times. Without an issuer it is
// self-signed.
func Issue(issuer *Pair, template *x509.Certificate) *Pair {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	if template.SerialNumber == nil {
		template.SerialNumber = must(rand.Int(rand.Reader, big.NewInt(1<<62)))
	}
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	}
	if issuer == nil {
		issuer = &Pair{template, key}
	}
	der := must(x509.CreateCertificate(rand.Reader, template, issuer.Certificate, key.Public(), issuer.Key))
	return &Pair{must(x509.ParseCertificate(der)), key}
}

// CertPEM returns the certificate in PEM.
func (p *Pair) CertPEM() string { return encode("CERTIFICATE", p.Certificate.Raw) }

// KeyPEM returns the key in PEM.
func (p *Pair) KeyPEM() string {
	return encode("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p.Key)))
}

// TLS returns the pair for package tls.
func (p *Pair) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{p.Certificate.Raw}, PrivateKey: p.Key, Leaf: p.Certificate}
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
