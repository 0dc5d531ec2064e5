package backendref

import (
	"slices"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/route"
)

// NeedsRelayForCertificate reports whether at least one of the backends can get a client certificate
// only from the relay. Kong presents client certificates over HTTP/1.1 only.
func NeedsRelayForCertificate(all []Resolution) bool {
	return slices.ContainsFunc(all, func(f Resolution) bool { return f.Problem == nil && f.protocol == "grpcs" })
}

// presentCertificate makes the relay present the rule's client certificate to the backends that use
// TLS. Without the relay, Kong presents it to b.
func (t *ruleTranslation) presentCertificate(throughRelay bool, b *route.Backend) {
	switch secret := t.of.clientCertificate; {
	case secret.Name == "":
	case throughRelay:
		t.clientCertificate = certificate.UsePair(t.reader, secret.Namespace, secret.Name)
	case b.Protocol == "https":
		b.ClientCertificate = certificate.Use(t.reader, secret.Namespace, secret.Name).ID
	}
}
