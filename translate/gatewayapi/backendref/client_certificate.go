package backendref

import (
	"slices"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/route"
)

// NeedsRelayForCertificate reports whether Kong itself can send no client certificate to one of the
// backends: it can where it speaks HTTP/1.1.
func NeedsRelayForCertificate(all []Resolution) bool {
	return slices.ContainsFunc(all, func(f Resolution) bool { return f.Problem == nil && f.protocol == "grpcs" })
}

// presentCertificate makes the relay, or Kong, whose backend is b, send the client certificate of the
// rule to those backends that are connected to over TLS.
func (t *ruleTranslation) presentCertificate(relayed bool, b *route.Backend) {
	switch secret := t.of.clientCertificate; {
	case secret.Name == "":
	case relayed:
		t.clientCertificate = certificate.UsePair(t.reader, secret.Namespace, secret.Name)
	case b.Protocol == "https":
		b.ClientCertificate = certificate.Use(t.reader, secret.Namespace, secret.Name).ID
	}
}
