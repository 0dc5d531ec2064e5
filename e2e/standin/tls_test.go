package standin

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/testcert"
)

// pair returns a certificate and its key as JSON strings.
func pair(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	made := testcert.SelfSigned(name)
	quote := func(text string) string {
		data, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	return quote(made.CertPEM()), quote(made.KeyPEM())
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
