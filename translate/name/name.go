// Package name keeps the names of Kong's entities apart.
//
// Names are the Kong Ingress Controller's: parts joined by dots, of which some have dots
// themselves. Two objects then have one name, and so one id: Ingress "p" with host a.q.example
// and Ingress "p.a" with host q.example, or an Ingress of a namespace that is called httproute
// and an HTTPRoute. [Suffix] tells such objects apart. All others keep their names.
package name

import (
	"crypto/sha1"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// nameless are the kinds whose entities' names begin with the namespace. The names of all
// other routes begin with the kind in lower case.
var nameless = []unit.Kind{unit.Ingress, unit.TCPIngress, unit.UDPIngress}

// kinds are what names begin with where they do not begin with a namespace.
var kinds = []string{"gateway", "grpcroute", "httproute", "tcproute", "tlsroute", "udproute"}

// Suffix returns what the names of an object's entities end with: nothing, or a dot and a
// digest where another object may have the same names.
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

// exists reports whether there is an object of that name. All kinds are asked for, so that
// the unit is translated again when the first one comes.
func exists(r *unit.Reader, family []unit.Kind, namespace, name string) (found bool) {
	for _, kind := range family {
		found = r.Get(kind.Key(namespace, name)) != nil || found
	}
	return found
}

// digestBytes are more than anyone finds an object for whose name ends like another one's.
const digestBytes = 12

func digest(key unit.Key) string {
	sum := sha1.Sum([]byte(strings.Join([]string{string(key.Kind), key.Namespace, key.Name}, "/")))
	return "." + hex.EncodeToString(sum[:digestBytes])
}
