package certificate

import "slices"

// AnyHost is the server name under which Kong looks for the certificate of last resort: the
// one for hosts that no other certificate is for.
const AnyHost = "*"

// LastResort are the namespaces whose objects may choose the certificate of last resort,
// which clients are shown for the hosts of all namespaces; [AnyHost] stands for all.
type LastResort []string

// Permits reports whether objects of a namespace may choose it.
func (l LastResort) Permits(namespace string) bool {
	return slices.Contains(l, namespace) || slices.Contains(l, AnyHost)
}
