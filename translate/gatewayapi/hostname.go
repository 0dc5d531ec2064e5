package gatewayapi

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kube-sync/kube-sync/translate/route"
)

// isHost tells host names, also those that begin with a wildcard, from what an API server
// would not have stored.
func isHost(h route.Host) bool {
	name := string(h)
	if h.Wildcard() {
		name = h.Domain()
	}
	return h == "" || len(validation.IsDNS1123Subdomain(name)) == 0
}

// covers tells whether all names of the one host are among those of the other.
func covers(wide, narrow route.Host) bool {
	switch {
	case wide == "" || wide == narrow:
		return true
	case wide.Wildcard():
		return strings.HasSuffix(string(narrow), "."+wide.Domain())
	}
	return false
}

// intersect gives the names that both hosts have: those of the narrower one, if any.
func intersect(a, b route.Host) (route.Host, bool) {
	switch {
	case covers(a, b):
		return b, true
	case covers(b, a):
		return a, true
	}
	return "", false
}
