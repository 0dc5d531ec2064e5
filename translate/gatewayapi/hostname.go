package gatewayapi

import (
	"strings"

	"github.com/kube-sync/kube-sync/translate/route"
)

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
