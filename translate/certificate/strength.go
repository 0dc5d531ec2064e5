package certificate

import (
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

// leastRSABits are those to which OpenSSL gives the 112 bits of security that its level 2
// asks for. All curves that Go reads have them; SHA-1 and older digests don't.
const leastRSABits = 1968

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
		if err := o.weakKey(i, c.parsed); err != nil {
			return err
		}
		// A signature that it has of itself proves nothing, and is not looked at.
		if !vouches(c.parsed, c.parsed) && slices.Contains(weakSignatures, c.parsed.SignatureAlgorithm) {
			return tooWeak(i, c.parsed, fmt.Sprintf("is signed with %s", c.parsed.SignatureAlgorithm))
		}
	}
	return nil
}

// weakKey says the same of the key of one certificate.
func (o Options) weakKey(i int, c *x509.Certificate) error {
	if o.AllowWeak {
		return nil
	}
	if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < leastRSABits {
		return tooWeak(i, c, fmt.Sprintf("has an RSA key of %d bits", key.N.BitLen()))
	}
	return nil
}

func tooWeak(i int, c *x509.Certificate, what string) error {
	return fmt.Errorf("certificate %d (%s) %s, which is too weak for Kong's TLS settings", i+1, c.Subject, what)
}
