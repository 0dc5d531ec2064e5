package certificate

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
)

const (
	// maxKey is the size of a private key in DER, in bytes: an RSA key of 8192 bits takes less
	// than 5 KB, and a handshake 40 milliseconds with it. Reading one of a megabyte takes
	// minutes, and OpenSSL uses none with more than 16384 bits.
	maxKey = 6 << 10
	// maxChain is the size of the certificates in PEM, in bytes. No client takes more.
	maxChain = 100 << 10
)

// keyPair reads a TLS key pair. What would take long to read is refused before.
func keyPair(chain, key []byte) (tls.Certificate, error) {
	if len(chain) > maxChain {
		return tls.Certificate{}, fmt.Errorf("the certificates have %d bytes, and clients take %d at most", len(chain), maxChain)
	}
	for rest := key; len(rest) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if len(block.Bytes) > maxKey {
			return tls.Certificate{}, fmt.Errorf("the private key has %d bytes in DER, and %d are enough for RSA with 8192 bits", len(block.Bytes), maxKey)
		}
	}
	return tls.X509KeyPair(chain, key)
}
