package certificate

import (
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// bundleRoles holds the role of a bundle's unit for each kind of object that can hold a bundle.
var bundleRoles = map[unit.Kind]unit.Role[Bundle]{
	unit.Secret:    "ca-bundle-secret",
	unit.ConfigMap: "ca-bundle-configmap",
}

// Bundle holds the CA certificates of an object, for callers that need them in PEM and not as a
// Kong entity.
type Bundle struct {
	// Certificates holds each certificate in PEM. It is empty if the bundle is unavailable.
	Certificates []string
	unit.Unavailable
	// Weak describes the first certificate that Kong refuses as too weak; empty if there is none.
	Weak string
}

// UseBundle returns the bundle in a Secret or ConfigMap.
func UseBundle(r *unit.Reader, kind unit.Kind, namespace, name string) Bundle {
	return unit.Use(r, bundleRoles[kind].Of(namespace, name))
}

// bundleField is the key of the certificates in an object's data.
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

// bundleOf returns the certificates in text and ignores what is between them. It checks neither
// subjects nor expiry, because a translation must not depend on the time.
func bundleOf(text []byte) ([]x509Certificate, error) {
	blocks, err := blocksOf(text)
	if err != nil {
		return nil, err
	}
	for _, block := range blocks {
		if !slices.Contains(certificateTypes, block.Type) {
			return nil, errors.New("the field contains something other than certificates, such as a private key")
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
