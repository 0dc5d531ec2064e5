package attacks

import (
	"testing"
	"time"
)

// certificates are attacks by certificates, and harmless changes that once did as much damage.
func certificates(s *servers) []attack {
	other := s.strangerCA
	copyOf := func(name string) string {
		return caSecret(attacker, name, "4c0b6a5c-9a52-4a35-9a0b-1f1a7d1f9a1"+name[len(name)-1:], s.ca.CertPEM()) +
			service(attacker, "verified", shopTLSIP, tlsPort, "protocol=https", "tls-verify=true", "ca-certificates-secrets="+name) +
			ingress(attacker, "verified", "verified.attacker.test", "/", "verified")
	}
	sameID := caSecret(attacker, "root", shopCAID, other.CertPEM()) +
		service(attacker, "imposter", imposterIP, tlsPort, "protocol=https", "tls-verify=true", "ca-certificates-secrets=root") +
		ingress(attacker, "imposter", "imposter.attacker.test", "/", "imposter")
	cert, key := s.foreign[0], s.foreign[1]
	return []attack{
		{
			name:  "an older CA certificate with another namespace's id",
			steps: []string{older(sameID)},
		}, {
			name:  "a younger CA certificate with another namespace's id",
			steps: []string{sameID},
		}, {
			name:  "one CA certificate in two namespaces, of which one goes",
			steps: []string{copyOf("root-1"), ""},
		}, {
			name:  "a CA Secret is renamed, the new one first",
			steps: []string{copyOf("root-1"), copyOf("root-1") + caSecret(attacker, "root-2", "4c0b6a5c-9a52-4a35-9a0b-1f1a7d1f9a12", s.ca.CertPEM()), copyOf("root-2"), ""},
		}, {
			name: "TLS without a host",
			steps: []string{tlsSecret(attacker, "all", cert, key) + ingress(attacker, "all", "", "/all", "web") +
				"  tls: [{secretName: all}]\n"},
			told: []string{"Ingress attacker/all"},
			requests: func(t *testing.T, w *world) {
				for range 6 {
					if a, err := w.do("GET", "unknown.shop.test", "/", true, nil); err != nil || a.subject == "foreign.attacker.test" {
						t.Errorf("a host without a certificate of its own has the attacker's (%v)", err)
					}
					time.Sleep(10 * time.Millisecond)
				}
			},
		}, {
			name: "a Gateway's listener without a hostname",
			steps: []string{tlsSecret(attacker, "all", cert, key) +
				gatewayOf("all", `{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: all}]}}`)},
			requests: func(t *testing.T, w *world) {
				if a, err := w.do("GET", "unknown.shop.test", "/", true, nil); err != nil || a.subject == "foreign.attacker.test" {
					t.Errorf("a host without a certificate of its own has the attacker's (%v)", err)
				}
			},
		}, {
			name: "a certificate for another namespace's host",
			steps: []string{tlsSecret(attacker, "stolen", cert, key) + ingress(attacker, "stolen", "stolen.attacker.test", "/", "web") +
				"  tls: [{hosts: [secure.shop.test, shop.test], secretName: stolen}]\n"},
			told: []string{"Ingress attacker/stolen"},
		},
	}
}
