package certificate

import (
	"fmt"
	"strings"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// OutOfReach reports whether Kong never looks up a certificate by a server name: it replaces the
// first label of a name by a wildcard only if at least two labels follow.
func OutOfReach(name string) bool {
	domain, wildcard := strings.CutPrefix(name, "*.")
	return wildcard && !strings.Contains(domain, ".")
}

// WithoutEffect returns the verdict on an object with a certificate for a name that is out of
// reach.
func WithoutEffect(object unit.Key, where, name string) unit.Verdict {
	return unit.Warning(object, "CertificateWithoutEffect", fmt.Sprintf(
		"%s: Kong serves its default certificate for %s, because the domain of a wildcard must have at least two labels. Name each host instead", where, name))
}
