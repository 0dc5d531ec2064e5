package gatewayapi

import (
	"fmt"
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// backends resolves the references of one rule. Kong speaks one protocol to all of them,
// that of the first one which gets requests: a backend that is to be spoken to by another
// is no backend, and neither is one whose protocol is not for such requests. By way of the
// relay each may be spoken to with or without TLS.
func (o Options) backends(r *unit.Reader, from unit.Key, d dialect, refs []backendRef) []resolution {
	all := make([]resolution, len(refs))
	known := make([]bool, len(refs))
	for i, ref := range refs {
		all[i] = o.resolve(r, from, ref)
		if found := &all[i]; found.problem == nil {
			found.protocol, known[i] = found.endpoints.Protocol(d.protocol)
			found.policy = usePolicy(r, found.endpoints)
		}
	}
	relayed, first := policed(all), ""
	for i, ref := range refs {
		found := &all[i]
		if found.problem != nil || value(ref.Weight, 1) == 0 {
			continue
		}
		name := fmt.Sprintf("Service %s/%s port %d", found.endpoints.Service.Namespace, found.endpoints.Service.Name, *ref.Port)
		switch {
		case !known[i] || !slices.Contains(d.protocols, found.protocol):
			found.problem = unsupported(found.at, "%s is not for %s", name, some(string(from.Kind)))
		case first != "" && first != found.protocol && (!relayed || isHTTP2(first) != isHTTP2(found.protocol)):
			found.problem = unsupported(found.at, "%s is for %s, and another backend of the same rule for %s", name, found.protocol, first)
		default:
			first = found.protocol
		}
	}
	return all
}

// policed tells whether a policy says how one of the backends is spoken to.
func policed(all []resolution) bool {
	return slices.ContainsFunc(all, func(f resolution) bool { return f.policy != nil && f.policy.TLS != nil })
}

// encrypted tells whether one of the backends is spoken to over TLS.
func encrypted(all []resolution) bool {
	return policed(all) || slices.ContainsFunc(all, func(f resolution) bool { return isTLS(f.protocol) })
}

func unsupported(at field.Path, format string, args ...any) *reference {
	return &reference{gatewayv1.RouteReasonUnsupportedProtocol, fmt.Sprintf(format, args...), unit.At(at)}
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

func isTLS(protocol string) bool { return protocol == "https" || protocol == "grpcs" }

func isHTTP2(protocol string) bool { return protocol == "grpc" || protocol == "grpcs" }
