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

// authorities are the CA certificates, by their id in Kong.
const authorities unit.Family[string] = "CA certificate"

// CA is what users of a CA certificate need to know of it.
type CA struct {
	// ID is the Kong CA certificate's. It is empty when the object has none to offer.
	ID string
	unit.Unavailable
}

// UseCA makes the CA certificate in a Secret or ConfigMap be there for the unit that asks.
func UseCA(r *unit.Reader, kind unit.Kind, namespace, name string) CA {
	return unit.Use(r, caRoles[kind].Of(namespace, name))
}

// caFields are where an object may have the certificate, and the field that has the id.
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
	// Kong has a certificate once. All objects that hold it share the entity, which names the
	// oldest of them in its tags, so there is nothing to lose and no verdict.
	return unit.Fragment{Claims: []unit.Claim{{
		Slot:     authorities.Slot(c.ID),
		Object:   key,
		Since:    object.GetCreationTimestamp().Time,
		Entities: []*kong.Entity{kong.CACertificate(c)},
	}}}, CA{ID: c.ID}
}

// caOf reads a CA certificate as Kong accepts it: one. Kong decides whether it has expired,
// as translations know no time.
//
// Its id follows from the certificate. The object's own id is not used: whoever wrote a
// Secret with the id of another one's certificate would decide what is verified by it.
func (o Options) caOf(field func(string) string) (route.CACertificate, error) {
	var c route.CACertificate
	if id := field(idField); id != "" && uuid.Validate(id) != nil {
		return c, fmt.Errorf("field %s is not a UUID", idField) // it may be in a Secret, and not be told
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
		return c, errors.New("there are several certificates, and Kong takes one at a time")
	case certificates[0].err != nil:
		return c, unreadable(0, certificates[0].err)
	case !certificates[0].parsed.IsCA:
		return c, errors.New("the certificate is not one of a CA")
	}
	if err := o.weakness(certificates); err != nil {
		return c, err
	}
	c.Cert = encoded(certificates)
	c.ID = kong.ID(kong.CACertificates, hex.EncodeToString(certificates[0].der))
	return c, nil
}
