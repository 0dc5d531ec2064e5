package certificate

import (
	"fmt"
	"strings"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// OutOfReach reports whether Kong never looks for a certificate by a server name: it replaces the
// first label of a name by a wildcard only where two others follow.
func OutOfReach(name string) bool {
	domain, wildcard := strings.CutPrefix(name, "*.")
	return wildcard && !strings.Contains(domain, ".")
}

// WithoutEffect is the verdict on an object with a certificate for a name that is out of reach.
func WithoutEffect(object unit.Key, where, name string) unit.Verdict {
	return unit.Warning(object, "CertificateWithoutEffect", fmt.Sprintf(
		"%s: Kong serves no certificate for %s, but its default one: the domain of a wildcard has to have two labels at least. Name each host instead", where, name))
}
