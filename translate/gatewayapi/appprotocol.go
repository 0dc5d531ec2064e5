package gatewayapi

import (
	"fmt"
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// backends resolves the references of one rule. Kong speaks one protocol to all of them,
// that of the first one which gets requests: a backend that is to be spoken to by another
// is no backend, and neither is one whose protocol is not for such requests.
func (o Options) backends(r *unit.Reader, from unit.Key, d dialect, refs []gatewayv1.BackendRef) []resolution {
	all := make([]resolution, len(refs))
	first := ""
	for i, ref := range refs {
		all[i] = o.resolve(r, from, ref)
		found := &all[i]
		if found.problem != nil {
			continue
		}
		protocol, ok := found.endpoints.Protocol(d.protocol)
		found.protocol = protocol
		if value(ref.Weight, 1) == 0 {
			continue
		}
		name := fmt.Sprintf("Service %s/%s port %d", found.endpoints.Service.Namespace, found.endpoints.Service.Name, *ref.Port)
		switch {
		case !ok || !slices.Contains(d.protocols, protocol):
			found.problem = unsupported("%s is not for %s", name, some(string(from.Kind)))
		case first != "" && first != protocol:
			found.problem = unsupported("%s is for %s, and another backend of the same rule for %s", name, protocol, first)
		default:
			first = protocol
		}
	}
	return all
}

func unsupported(format string, args ...any) *reference {
	return &reference{gatewayv1.RouteReasonUnsupportedProtocol, fmt.Sprintf(format, args...)}
}

// agreed is the protocol of a rule's backends.
func agreed(shares []share, unset string) string {
	for _, s := range shares {
		if s.weight > 0 && s.protocol != "" {
			return s.protocol
		}
	}
	return unset
}

func isHTTP2(protocol string) bool { return protocol == "grpc" || protocol == "grpcs" }
