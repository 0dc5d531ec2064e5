// Package name keeps the names of Kong's entities apart.
//
// Names are those of the Kong Ingress Controller: parts joined by dots, some of which contain
// dots themselves. Two objects can therefore have one name, and so one id: Ingress "p" with host
// a.q.example and Ingress "p.a" with host q.example, or an Ingress in a namespace called
// httproute and an HTTPRoute. [Suffix] distinguishes such objects. All others keep their names.
package name

import (
	"crypto/sha1"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// nameless are the kinds whose entities' names start with the namespace. The names of all other
// routes start with the kind in lower case.
var nameless = []unit.Kind{unit.Ingress, unit.TCPIngress, unit.UDPIngress}

// kinds are the first parts of the names that do not start with a namespace.
var kinds = []string{"gateway", "grpcroute", "httproute", "tcproute", "tlsroute", "udproute"}

// Suffix returns the end of the names of an object's entities: nothing, or a dot and a digest if
// another object may have the same names.
func Suffix(r *unit.Reader, key unit.Key) string {
	family := nameless
	if !slices.Contains(family, key.Kind) {
		family = []unit.Kind{key.Kind}
	} else if slices.Contains(kinds, key.Namespace) {
		return digest(key)
	}
	for i, c := range key.Name {
		if c == '.' && exists(r, family, key.Namespace, key.Name[:i]) {
			return digest(key)
		}
	}
	return ""
}

// exists reports whether an object of the name exists. It asks for all kinds, so that the unit is
// translated again when the first one is created.
func exists(r *unit.Reader, family []unit.Kind, namespace, name string) (found bool) {
	for _, kind := range family {
		found = r.Get(kind.Key(namespace, name)) != nil || found
	}
	return found
}

// digestBytes is the length of digests in bytes: enough that no one can choose a name with the
// digest of another.
const digestBytes = 12

func digest(key unit.Key) string {
	sum := sha1.Sum([]byte(strings.Join([]string{string(key.Kind), key.Namespace, key.Name}, "/")))
	return "." + hex.EncodeToString(sum[:digestBytes])
}
