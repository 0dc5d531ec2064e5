package certificate

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Kong accepts PEM from users and parses it again at each handshake, with other functions.
// Slightly malformed PEM passes the first time and later breaks all connections to a host. This
// file parses PEM strictly and encodes it again, so that Kong gets a canonical form.

// certificateTypes are the types of PEM blocks that OpenSSL accepts as certificates.
var certificateTypes = []string{"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}

// beginLine is the first line of a PEM block.
var beginLine = regexp.MustCompile(`(?m)^-----BEGIN [^\r\n]*-----[ \t]*\r?$`)

// byteOrderMark is added to files by some editors.
var byteOrderMark = []byte("\ufeff")

// blocksOf returns all PEM blocks of a text. It ignores the text around them, but a truncated or
// damaged block is an error, because OpenSSL stops there.
func blocksOf(text []byte) ([]*pem.Block, error) {
	text = bytes.ReplaceAll(text, byteOrderMark, nil)
	var blocks []*pem.Block
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		blocks = append(blocks, block)
	}
	if begun := len(beginLine.FindAll(text, -1)); begun != len(blocks) {
		return nil, fmt.Errorf("%d PEM blocks start but only %d can be read: one is truncated or damaged", begun, len(blocks))
	}
	return blocks, nil
}

// x509Certificate is a certificate in DER. Only the first one of a chain must be one that Go can
// parse, because Go refuses some certificates that OpenSSL accepts. OpenSSL is stricter only about
// the structure: see [checkShape].
type x509Certificate struct {
	der    []byte
	parsed *x509.Certificate // nil if Go cannot parse it
	err    error             // why not
}

// certificatesOf returns the certificates among PEM blocks, in order.
func certificatesOf(blocks []*pem.Block) ([]x509Certificate, error) {
	var all []x509Certificate
	for _, block := range blocks {
		if !slices.Contains(certificateTypes, block.Type) {
			continue
		}
		// Bytes after the certificate, such as OpenSSL's trust settings, are dropped.
		var shape struct{ Signed, Algorithm, Signature asn1.RawValue }
		rest, err := asn1.Unmarshal(block.Bytes, &shape)
		if err != nil {
			return nil, unreadable(len(all), errors.New("it is not in DER"))
		}
		der := block.Bytes[:len(block.Bytes)-len(rest)]
		if err := checkShape(der); err != nil {
			return nil, unreadable(len(all), err)
		}
		parsed, err := x509.ParseCertificate(der)
		all = append(all, x509Certificate{der, parsed, err})
	}
	if len(all) == 0 {
		return nil, errors.New("there is no certificate in PEM")
	}
	return all, nil
}

func unreadable(i int, err error) error {
	return fmt.Errorf("certificate %d cannot be read: %w", i+1, err)
}

// Leaf returns the first certificate of a chain in PEM that Kong holds.
func Leaf(chain string) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(chain))
	if block == nil {
		return nil, errors.New("it has no PEM block")
	}
	return x509.ParseCertificate(block.Bytes)
}

// encoded returns certificates in PEM.
func encoded(all []x509Certificate) string {
	var text strings.Builder
	for _, c := range all {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: certificateTypes[0], Bytes: c.der}))
	}
	return text.String()
}

// privateKey is implemented by private keys of all supported types.
type privateKey interface {
	Public() crypto.PublicKey
}

// maxKey is the maximum size of a private key in DER, in bytes. An RSA key of 8192 bits takes less
// than 5 KB, and a handshake with it takes 40 milliseconds. Parsing a key of a megabyte takes
// minutes, and OpenSSL refuses keys of more than 16384 bits.
const maxKey = 6 << 10

// keyOf returns the first private key in a text. It ignores parameters and certificates.
func keyOf(text []byte) (privateKey, error) {
	text = bytes.ReplaceAll(text, byteOrderMark, nil)
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case !strings.HasSuffix(block.Type, "PRIVATE KEY"):
			continue
		case block.Type == "ENCRYPTED PRIVATE KEY", strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, errors.New("the private key is encrypted; store it without a passphrase")
		case len(block.Bytes) > maxKey:
			return nil, fmt.Errorf("the private key has %d bytes in DER, but at most %d are allowed, enough for RSA with 8192 bits", len(block.Bytes), maxKey)
		}
		return parsedKey(block.Bytes)
	}
	return nil, errors.New("there is no private key in PEM")
}

// parsedKey parses a key in any of its possible encodings, whatever the type of its block.
func parsedKey(der []byte) (privateKey, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("the private key cannot be read, or is not an RSA, Ed25519 or ECDSA key on a NIST curve")
	}
	signer, ok := key.(privateKey)
	if _, signs := key.(crypto.Signer); !ok || !signs {
		return nil, errors.New("the private key cannot sign; use an RSA, ECDSA or Ed25519 key")
	}
	return signer, nil
}

// encodedKey returns a private key in PEM.
func encodedKey(key privateKey) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("the private key cannot be encoded: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}
