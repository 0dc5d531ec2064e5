package certificate

import "slices"

// AnyHost is the server name under which Kong looks up the certificate of last resort, for hosts
// without another certificate.
const AnyHost = "*"

// LastResort lists the namespaces whose objects may choose the certificate of last resort, which
// Kong serves for the hosts of all namespaces; [AnyHost] stands for all.
type LastResort []string

// Permits reports whether objects of a namespace may choose the certificate.
func (l LastResort) Permits(namespace string) bool {
	return slices.Contains(l, namespace) || slices.Contains(l, AnyHost)
}
