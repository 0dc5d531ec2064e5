package certificate

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

const pairRole unit.Role[Pair] = "key-pair"

// Pair is a TLS key pair for users that need it in PEM, not as an entity of Kong.
type Pair struct {
	// Certificate and Key are in PEM. They are empty if the pair is unavailable.
	Certificate, Key string
	unit.Unavailable
}

// UsePair returns a Secret's key pair.
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
