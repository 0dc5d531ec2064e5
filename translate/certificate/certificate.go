// Package certificate translates the TLS key pairs in Secrets, and the CA certificates
// in Secrets and ConfigMaps. Each object is a unit of its own, made once however many
// hosts it is served for or services verify by it. A [Pair] and a [Bundle] are for those
// who need what is in the object itself, and make no entity of it.
package certificate

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Role is the role of certificate units.
const Role unit.Role = "certificate"

// Certificate is what users of a certificate need to know of it.
type Certificate struct {
	// ID is the Kong certificate's. It is empty when the Secret has none to offer.
	ID string
	// Names are the DNS names that it is for, in lower case.
	Names []string
	// Fingerprint is the same for Secrets with the same certificates.
	Fingerprint string
	// Reason and Message say why there is none.
	Reason  string
	Message string
	// Missing is the Secret if it does not exist.
	Missing unit.Key
}

// Define adds the units of certificates to a graph.
func Define(g *unit.Graph, o Options) {
	g.Define(unit.Definition{Role: Role, Kind: unit.Secret, Translate: o.translate})
	g.Define(unit.Definition{Role: pairRole, Kind: unit.Secret, Translate: translatePair})
	for kind, role := range bundleRoles {
		g.Define(unit.Definition{Role: role, Kind: kind, Translate: func(id unit.ID, r *unit.Reader) unit.Fragment {
			return o.translateBundle(kind, id, r)
		}})
	}
	for kind, role := range caRoles {
		g.Define(unit.Definition{Role: role, Kind: kind, Translate: func(id unit.ID, r *unit.Reader) unit.Fragment {
			return o.translateCA(kind, id, r)
		}})
	}
}

// Use makes a Secret's certificate be there for the unit that asks.
func Use(r *unit.Reader, namespace, name string) Certificate {
	c, ok := r.Use(unit.ID{Role: Role, Namespace: namespace, Name: name}).(Certificate)
	if !ok { // its translation panicked
		c = Certificate{Reason: "TranslationFailed",
			Message: fmt.Sprintf("Secret %s/%s could not be translated", namespace, name)}
	}
	return c
}

func (o Options) translate(id unit.ID, r *unit.Reader) unit.Fragment {
	key := unit.Key{Kind: unit.Secret, Namespace: id.Namespace, Name: id.Name}
	secret, ok := unit.Get[*corev1.Secret](r, key)
	if !ok {
		return unit.Fragment{Value: Certificate{Reason: "SecretNotFound", Message: fmt.Sprintf("%s does not exist", key), Missing: key}}
	}
	pair, err := keyPairOf(secret)
	if err == nil {
		err = o.weakness(pair.chain)
	}
	if err != nil {
		return unit.Fragment{Value: Certificate{
			Reason:  "CertificateInvalid",
			Message: fmt.Sprintf("%s holds no TLS key pair that Kong can serve: %v", key, err),
		}}
	}
	c := route.Certificate{
		ID:   string(secret.UID),
		Cert: encoded(pair.chain),
		Key:  pair.key,
		Tags: kong.Tags(secret, corev1.SchemeGroupVersion.WithKind("Secret")),
	}
	if c.ID == "" { // a manifest that no API server has seen
		c.ID = kong.ID(kong.Certificates, id.Namespace+"/"+id.Name)
	}
	return unit.Fragment{
		Entities: []*kong.Entity{kong.Certificate(c)},
		Value:    Certificate{ID: c.ID, Names: pair.names(), Fingerprint: pair.fingerprint()},
	}
}
