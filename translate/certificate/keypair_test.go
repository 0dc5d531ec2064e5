package certificate

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func pairOf(chain, key []byte) (keyPair, error) {
	return keyPairOf(&corev1.Secret{Data: map[string][]byte{corev1.TLSCertKey: chain, corev1.TLSPrivateKeyKey: key}})
}

// TestKeyPairsAreBounded holds that keys and chains that would be slow to parse are refused
// before.
func TestKeyPairsAreBounded(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a.example"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})
	large := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: make([]byte, 500_000)})
	if _, err := pairOf(cert, key); err != nil {
		t.Errorf("an ordinary key pair: %v", err)
	}
	for name, pair := range map[string]struct {
		chain, key []byte
		want       string
	}{
		"a large key":  {cert, large, "500000 bytes in DER"},
		"a long chain": {[]byte(strings.Repeat(string(cert), 200)), key, "clients accept at most 102400"},
		"none":         {nil, nil, "there is no certificate in PEM"},
	} {
		if _, err := pairOf(pair.chain, pair.key); err == nil || !strings.Contains(err.Error(), pair.want) {
			t.Errorf("%s: %v, want …%s…", name, err, pair.want)
		}
	}
}
