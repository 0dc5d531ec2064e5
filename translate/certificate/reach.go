package certificate

import (
	"fmt"
	"strings"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// OutOfReach reports whether a name is a wildcard that Kong never looks up. To look up a
// certificate, Kong replaces the first label of the server name with a wildcard only if at least two
// labels follow.
func OutOfReach(name string) bool {
	domain, wildcard := strings.CutPrefix(name, "*.")
	return wildcard && !strings.Contains(domain, ".")
}

// WithoutEffect returns the verdict on an object whose certificate has no effect for a name,
// because Kong never looks the name up: see [OutOfReach].
func WithoutEffect(object unit.Key, where, name string) unit.Verdict {
	return unit.Warning(object, "CertificateWithoutEffect", fmt.Sprintf(
		"%s: Kong serves its default certificate for %s, because the domain of a wildcard must have at least two labels. Name each host instead", where, name))
}
