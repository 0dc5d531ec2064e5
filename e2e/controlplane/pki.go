package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// pki is the cluster's certificate authority and the directory its files are written to: NAME.crt and NAME.key.
type pki struct {
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
}

func newPKI(dir string) (*pki, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the certificates' directory: %w", err)
	}
	authority := &pki{dir: dir}
	template := certificate(pkix.Name{CommonName: "kube-sync-e2e"})
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage |= x509.KeyUsageCertSign
	template.ExtKeyUsage = nil
	cert, key, err := authority.sign("ca", template)
	if err != nil {
		return nil, err
	}
	authority.cert, authority.key = cert, key
	return authority, nil
}

// certificate is what all certificates of the cluster have in common. Each may serve as client and as server: the
// cluster lives as long as a test.
func certificate(subject pkix.Name) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		Subject:     subject,
		NotBefore:   now.Add(-time.Hour),
		NotAfter:    now.Add(30 * 24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
}

// client writes a certificate for a Kubernetes user and the groups it is in.
func (p *pki) client(name, user string, groups ...string) error {
	_, _, err := p.sign(name, certificate(pkix.Name{CommonName: user, Organization: groups}))
	return err
}

// server writes a certificate for a server reached under the names and addresses given.
func (p *pki) server(name string, hosts ...string) error {
	template := certificate(pkix.Name{CommonName: name})
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	_, _, err := p.sign(name, template)
	return err
}

// sign makes a key and writes it with the certificate; the authority's own certificate signs itself.
func (p *pki) sign(name string, template *x509.Certificate) (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make the key of %s: %w", name, err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, fmt.Errorf("make the serial number of %s: %w", name, err)
	}
	parent, signer := p.cert, p.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, nil, fmt.Errorf("sign the certificate of %s: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("read the certificate of %s: %w", name, err)
	}
	if err := p.write(p.certFile(name), "CERTIFICATE", der); err != nil {
		return nil, nil, err
	}
	return cert, key, p.writeKey(name, key)
}

// keyPair writes a bare key pair, NAME.key and NAME.pub: ServiceAccount tokens are signed with it.
func (p *pki) keyPair(name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make the key of %s: %w", name, err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("encode the public key of %s: %w", name, err)
	}
	if err := p.write(p.file(name+".pub"), "PUBLIC KEY", der); err != nil {
		return err
	}
	return p.writeKey(name, key)
}

func (p *pki) writeKey(name string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode the key of %s: %w", name, err)
	}
	return p.write(p.keyFile(name), "EC PRIVATE KEY", der)
}

func (p *pki) write(path, kind string, der []byte) error {
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		return fmt.Errorf("write the %s: %w", kind, err)
	}
	return nil
}

func (p *pki) file(name string) string     { return filepath.Join(p.dir, name) }
func (p *pki) certFile(name string) string { return p.file(name + ".crt") }
func (p *pki) keyFile(name string) string  { return p.file(name + ".key") }
