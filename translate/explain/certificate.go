package explain

import (
	"strings"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// certificate returns what Kong shows to a client over TLS; nil if it shows its own certificate or
// does not terminate TLS.
func (c *Configuration) certificate(a arrival) *Certificate {
	passedThrough := a.at != nil && a.at.Scheme == "tls_passthrough" || a.route != nil && len(a.route.Protocols) > 0 && a.route.Protocols[0] == "tls_passthrough"
	if a.Scheme != "https" && a.Scheme != "tls" || passedThrough {
		return nil
	}
	for _, name := range serverNames(a.SNI) {
		id, ok := c.names[name]
		if !ok {
			continue
		}
		entity := c.certificates[id]
		leaf, err := certificate.Leaf(entity.Cert)
		if err != nil {
			return nil
		}
		return &Certificate{Object: objectOf(entity.Tags, unit.View{}), ServerName: name, Names: leaf.DNSNames, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter}
	}
	return nil
}

// serverNames returns the names by which Kong looks for a certificate, in order.
func serverNames(sni string) (names []string) {
	sni = strings.ToLower(sni)
	if sni != "" {
		names = append(names, sni)
		if _, domain, ok := strings.Cut(sni, "."); ok {
			names = append(names, "*."+domain)
		}
		if i := strings.LastIndexByte(sni, '.'); i >= 0 {
			names = append(names, sni[:i]+".*")
		}
	}
	return append(names, "*")
}
