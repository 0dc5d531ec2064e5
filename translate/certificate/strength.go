package certificate

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
)

// Options are the operator's settings.
type Options struct {
	// AllowWeak permits keys and signatures that OpenSSL's security level 2 refuses. It requires
	// a lower level in Kong's own TLS settings: otherwise each handshake with such a certificate
	// fails.
	AllowWeak bool
}

// leastRSABits is the length of keys with the 112 bits of security that OpenSSL's level 2
// requires. All curves that Go supports provide them; SHA-1 and older digests do not.
const leastRSABits = 1968

var weakSignatures = []x509.SignatureAlgorithm{
	x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1,
}

// weakness returns why OpenSSL refuses to use certificates; nil if it accepts them.
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
		// OpenSSL does not check a self-signature.
		if !isIssuer(c.parsed, c.parsed) && slices.Contains(weakSignatures, c.parsed.SignatureAlgorithm) {
			return tooWeak(i, c.parsed, fmt.Sprintf("is signed with %s", c.parsed.SignatureAlgorithm))
		}
	}
	return nil
}

// weakKey is weakness for the key of one certificate.
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
