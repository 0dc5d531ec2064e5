package backendref

import (
	"fmt"
	"slices"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendtlspolicy"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// backends resolves the references of one rule. Kong speaks one protocol to all of them,
// that of the first one which gets requests: a backend with another protocol
// is no backend, and neither is one whose protocol is not for such requests. By way of the
// relay each may be connected to with or without TLS.
func (o Options) backends(r *unit.Reader, from unit.Key, d RequestRoute, refs []backendRef) []Resolution {
	all := make([]Resolution, len(refs))
	known := make([]bool, len(refs))
	for i, ref := range refs {
		all[i] = o.resolve(r, from, ref)
		if found := &all[i]; found.Problem == nil {
			found.protocol, known[i] = found.Endpoints.Protocol(d.protocol)
			found.Policy = backendtlspolicy.Use(r, found.Endpoints)
		}
	}
	relayed, first := HasPolicy(all), ""
	for i, ref := range refs {
		found := &all[i]
		if found.Problem != nil || ptr.Deref(ref.Weight, 1) == 0 {
			continue
		}
		name := fmt.Sprintf("Service %s/%s port %d", found.Endpoints.Service.Namespace, found.Endpoints.Service.Name, *ref.Port)
		switch {
		case !known[i] || !slices.Contains(d.protocols, found.protocol):
			found.Problem = unsupported(found.At, "%s is not for %s", name, from.Kind.WithArticle())
		case first != "" && first != found.protocol && (!relayed || isHTTP2(first) != isHTTP2(found.protocol)):
			found.Problem = unsupported(found.At, "%s is for %s, and another backend of the same rule for %s", name, found.protocol, first)
		default:
			first = found.protocol
		}
	}
	return all
}

// HasPolicy reports whether a valid BackendTLSPolicy takes effect for one of the backends.
func HasPolicy(all []Resolution) bool {
	return slices.ContainsFunc(all, func(f Resolution) bool { return f.Policy != nil && f.Policy.TLS != nil })
}

// UsesTLS reports whether one of the backends is connected to over TLS.
func UsesTLS(all []Resolution) bool {
	return HasPolicy(all) || slices.ContainsFunc(all, func(f Resolution) bool { return isTLS(f.protocol) })
}

func unsupported(at field.Path, format string, args ...any) *Problem {
	return &Problem{gatewayv1.RouteReasonUnsupportedProtocol, fmt.Sprintf(format, args...), unit.At(at)}
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
