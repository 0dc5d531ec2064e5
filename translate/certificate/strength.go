package certificate

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
)

// Options are settings of the operator.
type Options struct {
	// AllowWeak takes keys and signatures that OpenSSL's security level 2 does not. Kong's
	// own TLS settings have to have a lower one: else each handshake with such a certificate
	// fails.
	AllowWeak bool
}

// Level 2 of OpenSSL 3.2 asks for 112 bits of security, which are those of RSA keys of 1968
// bits and of curves of 224. SHA-1 and older digests have less.
const (
	leastRSABits   = 1968
	leastCurveBits = 224
)

var weakSignatures = []x509.SignatureAlgorithm{
	x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1,
}

// weakness says why OpenSSL refuses certificates when they are to be used; nil if it does
// not.
func (o Options) weakness(all []x509Certificate) error {
	if o.AllowWeak {
		return nil
	}
	for i, c := range all {
		if c.parsed == nil {
			continue
		}
		if what := weak(c.parsed); what != "" {
			return fmt.Errorf("certificate %d (%s) %s, which is too weak for Kong's TLS settings", i+1, c.parsed.Subject, what)
		}
	}
	return nil
}

// weak says what of a certificate is. A signature that it has of itself proves nothing, and
// is not looked at.
func weak(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < leastRSABits {
			return fmt.Sprintf("has an RSA key of %d bits", bits)
		}
	case *ecdsa.PublicKey:
		if bits := key.Curve.Params().BitSize; bits < leastCurveBits {
			return fmt.Sprintf("has an ECDSA key of %d bits", bits)
		}
	}
	if !vouches(c, c) && slices.Contains(weakSignatures, c.SignatureAlgorithm) {
		return fmt.Sprintf("is signed with %s", c.SignatureAlgorithm)
	}
	return ""
}
