package companion

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// unreadable is PEM that OpenSSL does not read as a certificate.
const unreadable = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"

// TestAnUnreadableAuthorityClosesItsPortAlone loads authorities that OpenSSL does not read, for some of the
// plugin's ports.
func TestAnUnreadableAuthorityClosesItsPortAlone(t *testing.T) {
	good, first, second, none := freeport.Port(t), freeport.Port(t), freeport.Port(t), freeport.Port(t)
	var listen []string
	for _, port := range []int{good, first, second, none} {
		listen = append(listen, fmt.Sprintf("127.0.0.1:%d ssl reuseport", port))
	}
	k := start(t, allPlugins, "KONG_PROXY_LISTEN="+strings.Join(listen, ", "))
	pair := keyPairs(t, 1)[0]
	c := empty()
	c.put("plugins", entity{"id": id("mtls"), "name": "kube-sync-mtls", "config": entity{"ports": []entity{
		{"port": good, "required": true, "cas": []string{pair.cert}},
		{"port": first, "required": true, "cas": []string{unreadable, pair.cert}},
		{"port": second, "required": true, "cas": []string{pair.cert, unreadable}},
		{"port": none, "required": true, "cas": []string{"none"}},
	}}})
	k.load(c)

	shown, err := tls.X509KeyPair([]byte(pair.cert), []byte(pair.key))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: answersWithin, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, Certificates: []tls.Certificate{shown}}}} //nolint:gosec // Kong's own certificate
	for range 8 { // both workers
		for _, port := range []int{good, first, second, none} {
			status := 0
			response, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d/", port))
			if err == nil {
				status = response.StatusCode
				_ = response.Body.Close()
			}
			switch {
			case port == good && status != http.StatusNotFound:
				t.Errorf("a valid client at the port with a good authority: %d, %v", status, err)
			case port != good && err == nil:
				t.Errorf("a client at port %d, one of whose authorities is unreadable: %d", port, status)
			}
		}
	}
	log := k.ReadLog()
	for _, port := range []int{first, second, none} {
		if want := fmt.Sprintf("all clients are refused at port %d: ", port); !strings.Contains(log, want) {
			t.Errorf("Kong's log does not say %q", want)
		}
	}
	if strings.Contains(log, fmt.Sprintf("refused at port %d: ", good)) {
		t.Error("Kong's log says that the port with a good authority is closed")
	}
}
