package certificate

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

const pairRole unit.Role[Pair] = "key-pair"

// Pair is a TLS key pair for whom no entity of Kong is of use.
type Pair struct {
	// Certificate and Key are PEM. They are empty when the Secret has none to offer.
	Certificate, Key string
	unit.Unavailable
}

// UsePair makes a Secret's key pair be there for the unit that asks.
func UsePair(r *unit.Reader, namespace, name string) Pair {
	return unit.Use(r, pairRole.Of(namespace, name))
}

func translatePair(r *unit.Reader, key unit.Key) (unit.Fragment, Pair) {
	secret, ok := unit.Get[*corev1.Secret](r, key)
	if !ok {
		return unit.Fragment{}, Pair{Unavailable: unit.NotFound("SecretNotFound", key)}
	}
	pair, err := keyPairOf(secret)
	if err != nil {
		return unit.Fragment{}, Pair{Unavailable: unit.Unavailable{Reason: "CertificateInvalid", Message: fmt.Sprintf("%s holds no TLS key pair: %v", key, err)}}
	}
	return unit.Fragment{}, Pair{Certificate: encoded(pair.chain), Key: pair.key}
}
