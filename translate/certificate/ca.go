package certificate

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// caRoles are the roles of units of CA certificates, by the kind of their object.
var caRoles = map[unit.Kind]unit.Role{
	unit.Secret:    "ca-certificate-secret",
	unit.ConfigMap: "ca-certificate-configmap",
}

// CA is what users of a CA certificate need to know of it.
type CA struct {
	// ID is the Kong CA certificate's. It is empty when the object has none to offer.
	ID string
	// Reason and Message say why there is none.
	Reason  string
	Message string
}

// UseCA makes the CA certificate in a Secret or ConfigMap be there for the unit that asks.
func UseCA(r *unit.Reader, kind unit.Kind, namespace, name string) CA {
	c, ok := r.Use(unit.ID{Role: caRoles[kind], Namespace: namespace, Name: name}).(CA)
	if !ok { // its translation panicked
		c = CA{Reason: "TranslationFailed", Message: fmt.Sprintf("%s %s/%s could not be translated", kind, namespace, name)}
	}
	return c
}

// caFields are where an object may have the certificate, and the field that has the id.
var caFields = []string{"cert", "ca.crt"}

const idField = "id"

func translateCA(kind unit.Kind, id unit.ID, r *unit.Reader) unit.Fragment {
	key := unit.Key{Kind: kind, Namespace: id.Namespace, Name: id.Name}
	object := r.Get(key)
	var field func(string) string
	switch o := object.(type) {
	case *corev1.Secret:
		field = func(name string) string { return string(o.Data[name]) }
	case *corev1.ConfigMap:
		field = func(name string) string { return o.Data[name] }
	default:
		return unit.Fragment{Value: CA{Reason: string(key.Kind) + "NotFound", Message: fmt.Sprintf("%s does not exist", key)}}
	}
	c, err := caOf(field)
	if err != nil {
		return unit.Fragment{Value: CA{Reason: "CACertificateInvalid", Message: fmt.Sprintf("%s: %v", key, err)}}
	}
	c.Tags = kong.Tags(object, corev1.SchemeGroupVersion.WithKind(string(key.Kind)))
	// An id is one certificate's, whatever objects say that it is theirs.
	return unit.Fragment{
		Claims: []unit.Claim{{
			Slot:     "ca " + c.ID,
			Object:   key,
			Since:    object.GetCreationTimestamp().Time,
			Entities: []*kong.Entity{kong.CACertificate(c)},
			Lost: unit.Warning(key, "CACertificateConflict",
				fmt.Sprintf("the CA certificate of the id %s is another object's to say", c.ID)),
		}},
		Value: CA{ID: c.ID},
	}
}

// caOf reads a CA certificate as Kong takes it: one, with a UUID. That it has not
// expired is Kong's to say, for translations know no time.
func caOf(field func(string) string) (route.CACertificate, error) {
	c := route.CACertificate{ID: field(idField)}
	parsed, err := uuid.Parse(c.ID)
	if err != nil || parsed.String() != c.ID {
		return c, fmt.Errorf("field %s: %q is not a UUID in lower case", idField, c.ID)
	}
	for _, name := range caFields {
		if c.Cert = field(name); c.Cert != "" {
			break
		}
	}
	if c.Cert == "" {
		return c, errors.New("neither field cert nor ca.crt has a certificate")
	}
	block, rest := pem.Decode([]byte(c.Cert))
	if block == nil || block.Type != "CERTIFICATE" {
		return c, errors.New("there is no certificate in PEM")
	}
	if more, _ := pem.Decode(rest); more != nil {
		return c, errors.New("there are several certificates, and Kong takes one at a time")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	switch {
	case err != nil:
		return c, err
	case !cert.IsCA:
		return c, errors.New("the certificate is not one of a CA")
	}
	return c, nil
}
