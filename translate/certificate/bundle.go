package certificate

import (
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// bundleRoles are the roles of units of bundles, by the kind of their object.
var bundleRoles = map[unit.Kind]unit.Role[Bundle]{
	unit.Secret:    "ca-bundle-secret",
	unit.ConfigMap: "ca-bundle-configmap",
}

// Bundle is the certificates of an object by which others are verified, for whom no entity
// of Kong is of use.
type Bundle struct {
	// Certificates are in PEM, each by itself. There are none when the object has none to offer.
	Certificates []string
	unit.Unavailable
	// Weak says which of them Kong refuses whoever it vouches for; empty for none.
	Weak string
}

// UseBundle makes the bundle in a Secret or ConfigMap be there for the unit that asks.
func UseBundle(r *unit.Reader, kind unit.Kind, namespace, name string) Bundle {
	return unit.Use(r, bundleRoles[kind].Of(namespace, name))
}

// bundleField is where an object has its certificates.
const bundleField = "ca.crt"

func (o Options) translateBundle(r *unit.Reader, key unit.Key) (unit.Fragment, Bundle) {
	var text []byte
	switch o := r.Get(key).(type) {
	case *corev1.Secret:
		text = o.Data[bundleField]
	case *corev1.ConfigMap:
		text = []byte(o.Data[bundleField])
	default:
		return unit.Fragment{}, Bundle{Unavailable: unit.NotFound(string(key.Kind)+"NotFound", key)}
	}
	certificates, err := bundleOf(text)
	if err != nil {
		return unit.Fragment{}, Bundle{Unavailable: unit.Unavailable{Reason: "CACertificateInvalid", Message: fmt.Sprintf("%s: field %s: %v", key, bundleField, err)}}
	}
	bundle := Bundle{}
	for i, c := range certificates {
		bundle.Certificates = append(bundle.Certificates, encoded(certificates[i:i+1]))
		if err := o.weakKey(i, c.parsed); err != nil && bundle.Weak == "" {
			bundle.Weak = fmt.Sprintf("%s: field %s: %v", key, bundleField, err)
		}
	}
	return unit.Fragment{}, bundle
}

// bundleOf reads certificates, and drops what people write between them. Whose they are
// and until when they are good is seen where they are used: translations know no time.
func bundleOf(text []byte) ([]x509Certificate, error) {
	blocks, err := blocksOf(text)
	if err != nil {
		return nil, err
	}
	for _, block := range blocks {
		if !slices.Contains(certificateTypes, block.Type) {
			return nil, errors.New("there is something else among the certificates, such as a private key")
		}
	}
	certificates, err := certificatesOf(blocks)
	if err != nil {
		return nil, err
	}
	for i, c := range certificates {
		if c.err != nil {
			return nil, unreadable(i, c.err)
		}
	}
	return certificates, nil
}
