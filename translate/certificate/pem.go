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

// Kong takes PEM from whoever wrote it, and reads it again at each handshake, with other
// functions. What is a little off passes the first time and breaks all connections to a
// host later. So PEM is read here, strictly, and written anew: Kong gets one form of it.

// certificateTypes are the types of PEM blocks that OpenSSL reads certificates from.
var certificateTypes = []string{"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}

// beginLine is the first line of a PEM block.
var beginLine = regexp.MustCompile(`(?m)^-----BEGIN [^\r\n]*-----[ \t]*\r?$`)

// byteOrderMark is what some editors put before a text.
var byteOrderMark = []byte("\ufeff")

// blocksOf returns all PEM blocks of a text. Text around them has no meaning, but a block
// that is cut off or damaged is an error: OpenSSL stops there.
func blocksOf(text []byte) ([]*pem.Block, error) {
	text = bytes.ReplaceAll(text, byteOrderMark, nil)
	var blocks []*pem.Block
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		blocks = append(blocks, block)
	}
	if begun := len(beginLine.FindAll(text, -1)); begun != len(blocks) {
		return nil, fmt.Errorf("%d PEM blocks begin and %d can be read: one is cut off or damaged", begun, len(blocks))
	}
	return blocks, nil
}

// x509Certificate is a certificate in DER. Of a chain, Go does not have to be able to read
// more than the first: it is stricter than OpenSSL but for the shape, see [checkShape].
type x509Certificate struct {
	der    []byte
	parsed *x509.Certificate // nil for what only OpenSSL may read
	err    error             // says why
}

// certificatesOf returns the certificates among PEM blocks, in order.
func certificatesOf(blocks []*pem.Block) ([]x509Certificate, error) {
	var all []x509Certificate
	for _, block := range blocks {
		if !slices.Contains(certificateTypes, block.Type) {
			continue
		}
		// Bytes after the certificate, as OpenSSL's trust settings, are left out.
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

// encoded writes certificates in PEM.
func encoded(all []x509Certificate) string {
	var text strings.Builder
	for _, c := range all {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: certificateTypes[0], Bytes: c.der}))
	}
	return text.String()
}

// privateKey is what the private keys of all supported types can do.
type privateKey interface {
	Public() crypto.PublicKey
}

// maxKey is the size of a private key in DER, in bytes: an RSA key of 8192 bits takes less
// than 5 KB, and a handshake 40 milliseconds with it. Reading one of a megabyte takes
// minutes, and OpenSSL uses none with more than 16384 bits.
const maxKey = 6 << 10

// keyOf returns the first private key in a text. Parameters and certificates beside it have
// no meaning.
func keyOf(text []byte) (privateKey, error) {
	text = bytes.ReplaceAll(text, byteOrderMark, nil)
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case !strings.HasSuffix(block.Type, "PRIVATE KEY"):
			continue
		case block.Type == "ENCRYPTED PRIVATE KEY", strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, errors.New("the private key is encrypted, and nobody has its passphrase")
		case len(block.Bytes) > maxKey:
			return nil, fmt.Errorf("the private key has %d bytes in DER, and %d are enough for RSA with 8192 bits", len(block.Bytes), maxKey)
		}
		return parsedKey(block.Bytes)
	}
	return nil, errors.New("there is no private key in PEM")
}

// parsedKey reads a key in any of the forms that it may have, whatever its type says.
func parsedKey(der []byte) (privateKey, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("the private key cannot be read, or is not one of RSA, of Ed25519 or of ECDSA on a curve of NIST")
	}
	signer, ok := key.(privateKey)
	if _, signs := key.(crypto.Signer); !ok || !signs {
		return nil, errors.New("the private key is not for signatures: those of RSA, ECDSA and Ed25519 are")
	}
	return signer, nil
}

// encodedKey writes a private key in PEM.
func encodedKey(key privateKey) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("the private key cannot be written: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}
