// Package certificate translates the TLS key pairs in Secrets, and the CA certificates in Secrets
// and ConfigMaps. Each object is one unit, whatever the number of its users. [Pair] and [Bundle]
// are for users that need the content of the object; they make no entity.
package certificate

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Role is the role of certificate units.
const Role unit.Role[Certificate] = "certificate"

// Certificate is what users of a certificate need.
type Certificate struct {
	// ID is the id of Kong's certificate. It is empty if the certificate is unavailable.
	ID string
	// Names are the certificate's DNS names, in lower case.
	Names []string
	// Fingerprint is the same for Secrets with the same certificates.
	Fingerprint string
	unit.Unavailable
}

// Define adds the units of certificates to a graph.
func Define(g *unit.Graph, o Options) {
	unit.Shared(g, Role, unit.Secret, o.translate).OnPanic(func(key unit.Key) Certificate {
		return Certificate{Unavailable: unit.Failed(key)}
	})
	unit.Shared(g, pairRole, unit.Secret, translatePair).OnPanic(func(key unit.Key) Pair { return Pair{Unavailable: unit.Failed(key)} })
	for kind, role := range bundleRoles {
		unit.Shared(g, role, kind, o.translateBundle).OnPanic(func(key unit.Key) Bundle { return Bundle{Unavailable: unit.Failed(key)} })
	}
	for kind, role := range caRoles {
		unit.Shared(g, role, kind, o.translateCA).OnPanic(func(key unit.Key) CA { return CA{Unavailable: unit.Failed(key)} })
	}
}

// Use returns a Secret's certificate, which exists as long as a unit uses it.
func Use(r *unit.Reader, namespace, name string) Certificate {
	return unit.Use(r, Role.Of(namespace, name))
}

func (o Options) translate(r *unit.Reader, key unit.Key) (unit.Fragment, Certificate) {
	secret, ok := unit.Get[*corev1.Secret](r, key)
	if !ok {
		return unit.Fragment{}, Certificate{Unavailable: unit.NotFound("SecretNotFound", key)}
	}
	pair, err := keyPairOf(secret)
	if err == nil {
		err = o.weakness(pair.chain)
	}
	if err != nil {
		return unit.Fragment{}, Certificate{Unavailable: unit.Unavailable{
			Reason: "CertificateInvalid", Message: fmt.Sprintf("%s holds no TLS key pair that Kong can serve: %v", key, err)}}
	}
	c := route.Certificate{
		ID:   string(secret.UID),
		Cert: encoded(pair.chain),
		Key:  pair.key,
		Tags: kong.Tags(secret, corev1.SchemeGroupVersion.WithKind("Secret")),
	}
	if c.ID == "" { // a manifest that is not from an API server
		c.ID = kong.ID(kong.Certificates, key.Namespace+"/"+key.Name)
	}
	return unit.Fragment{Entities: []*kong.Entity{kong.Certificate(c)}},
		Certificate{ID: c.ID, Names: pair.names(), Fingerprint: pair.fingerprint()}
}
