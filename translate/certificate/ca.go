package certificate

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// caRoles are the roles of units of CA certificates, by the kind of their object.
var caRoles = map[unit.Kind]unit.Role[CA]{
	unit.Secret:    "ca-certificate-secret",
	unit.ConfigMap: "ca-certificate-configmap",
}

// authorities are the slots for CA certificates, by their id in Kong.
const authorities unit.Family[string] = "CA certificate"

// CA is what users of a CA certificate need.
type CA struct {
	// ID is the id of Kong's CA certificate. It is empty if the certificate is unavailable.
	ID string
	unit.Unavailable
}

// UseCA returns the CA certificate in a Secret or ConfigMap, which exists as long as a unit uses
// it.
func UseCA(r *unit.Reader, kind unit.Kind, namespace, name string) CA {
	return unit.Use(r, caRoles[kind].Of(namespace, name))
}

// caFields are the keys that may hold the certificate in an object's data. idField is that of the
// id.
var caFields = []string{"cert", "ca.crt"}

const idField = "id"

func (o Options) translateCA(r *unit.Reader, key unit.Key) (unit.Fragment, CA) {
	object := r.Get(key)
	var field func(string) string
	switch o := object.(type) {
	case *corev1.Secret:
		field = func(name string) string { return string(o.Data[name]) }
	case *corev1.ConfigMap:
		field = func(name string) string { return o.Data[name] }
	default:
		return unit.Fragment{}, CA{Unavailable: unit.NotFound(string(key.Kind)+"NotFound", key)}
	}
	c, err := o.caOf(field)
	if err != nil {
		return unit.Fragment{}, CA{Unavailable: unit.Unavailable{Reason: "CACertificateInvalid", Message: fmt.Sprintf("%s: %v", key, err)}}
	}
	c.Tags = kong.Tags(object, corev1.SchemeGroupVersion.WithKind(string(key.Kind)))
	// Kong has each certificate once. All objects with the certificate share the entity, whose
	// tags name the oldest. No object loses anything, so there is no verdict.
	return unit.Fragment{Claims: []unit.Claim{{
		Slot:     authorities.Slot(c.ID),
		Object:   key,
		Since:    object.GetCreationTimestamp().Time,
		Entities: []*kong.Entity{kong.CACertificate(c)},
	}}}, CA{ID: c.ID}
}

// caOf returns the one CA certificate, as Kong accepts it. It leaves the expiry to Kong: a
// translation does not depend on the time.
//
// The id derives from the certificate. The object's own id is not used: a Secret with the id of
// another certificate would otherwise replace it.
func (o Options) caOf(field func(string) string) (route.CACertificate, error) {
	var c route.CACertificate
	if id := field(idField); id != "" && uuid.Validate(id) != nil {
		return c, fmt.Errorf("field %s is not a UUID", idField) // do not quote it: it may be from a Secret
	}
	for _, name := range caFields {
		if c.Cert = field(name); c.Cert != "" {
			break
		}
	}
	if c.Cert == "" {
		return c, errors.New("neither field cert nor ca.crt has a certificate")
	}
	blocks, err := blocksOf([]byte(c.Cert))
	if err != nil {
		return c, err
	}
	certificates, err := certificatesOf(blocks)
	switch {
	case err != nil:
		return c, err
	case len(certificates) > 1:
		return c, errors.New("there are several certificates, but Kong accepts one at a time")
	case certificates[0].err != nil:
		return c, unreadable(0, certificates[0].err)
	case !certificates[0].parsed.IsCA:
		return c, errors.New("the certificate is not a CA certificate")
	}
	if err := o.weakness(certificates); err != nil {
		return c, err
	}
	c.Cert = encoded(certificates)
	c.ID = kong.ID(kong.CACertificates, hex.EncodeToString(certificates[0].der))
	return c, nil
}
