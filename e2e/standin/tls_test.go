package standin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"testing"
	"time"
)

// pair makes a certificate and its key, in JSON strings.
func pair(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	quote := func(kind string, der []byte) string {
		data, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	return quote("CERTIFICATE", der), quote("PRIVATE KEY", keyDER)
}

func TestCertificateFollowsTheServerName(t *testing.T) {
	h := start(t, prefixOf(t))
	exactCert, exactKey := pair(t, "exact")
	wildCert, wildKey := pair(t, "wild")
	h.load(fmt.Sprintf(`{"_format_version": "3.0", "certificates": [
		{"cert": %s, "key": %s, "snis": [{"name": "a.shop.example"}]},
		{"cert": %s, "key": %s, "snis": [{"name": "*.shop.example"}]}]}`, exactCert, exactKey, wildCert, wildKey))
	for name, want := range map[string]string{
		"a.shop.example": "exact", "A.shop.example": "exact", "b.shop.example": "wild",
		"a.b.shop.example": "localhost", "shop.example": "localhost", "": "localhost",
	} {
		c, err := tls.Dial("tcp", h.tls(), &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ConnectionState().PeerCertificates[0].Subject.CommonName; got != want {
			t.Errorf("server name %q: got the certificate %q, expected %q", name, got, want)
		}
		c.Close()
	}
}

func TestKeyOfAnotherCertificateIsRefused(t *testing.T) {
	h := start(t, prefixOf(t))
	certificate, _ := pair(t, "a")
	_, key := pair(t, "b")
	status, answer := h.post(fmt.Sprintf(`{"_format_version": "3.0", "certificates": [{"cert": %s, "key": %s}]}`,
		certificate, key), "flatten_errors=1")
	if status != 400 || answer["flattened_errors"] == nil {
		t.Errorf("got %d %v", status, answer)
	}
}
