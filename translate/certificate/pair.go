package certificate

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

const pairRole unit.Role = "key-pair"

// Pair is a TLS key pair for whom no entity of Kong is of use.
type Pair struct {
	// Certificate and Key are PEM. They are empty when the Secret has none to offer.
	Certificate, Key string
	// Message says why there is none.
	Message string
	// Missing is the Secret if it does not exist.
	Missing unit.Key
}

// UsePair makes a Secret's key pair be there for the unit that asks.
func UsePair(r *unit.Reader, namespace, name string) Pair {
	p, ok := r.Use(unit.ID{Role: pairRole, Namespace: namespace, Name: name}).(Pair)
	if !ok { // its translation panicked
		p = Pair{Message: fmt.Sprintf("Secret %s/%s could not be translated", namespace, name)}
	}
	return p
}

func translatePair(id unit.ID, r *unit.Reader) unit.Fragment {
	key := unit.Key{Kind: unit.Secret, Namespace: id.Namespace, Name: id.Name}
	secret, ok := unit.Get[*corev1.Secret](r, key)
	if !ok {
		return unit.Fragment{Value: Pair{Message: fmt.Sprintf("%s does not exist", key), Missing: key}}
	}
	pair, err := keyPairOf(secret)
	if err != nil {
		return unit.Fragment{Value: Pair{Message: fmt.Sprintf("%s holds no TLS key pair: %v", key, err)}}
	}
	return unit.Fragment{Value: Pair{Certificate: encoded(pair.chain), Key: pair.key}}
}
