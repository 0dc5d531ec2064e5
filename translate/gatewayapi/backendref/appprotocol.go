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

// backends resolves the references of one rule. Kong uses one protocol for all of them: that of the
// first backend with a weight. Backends with another protocol, or one that cannot carry the route's
// requests, get none. Through the relay, some backends may use TLS and others not.
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
	throughRelay, first := HasPolicy(all), ""
	for i, ref := range refs {
		found := &all[i]
		if found.Problem != nil || ptr.Deref(ref.Weight, 1) == 0 {
			continue
		}
		name := fmt.Sprintf("Service %s/%s port %d", found.Endpoints.Service.Namespace, found.Endpoints.Service.Name, *ref.Port)
		switch {
		case !known[i] || !slices.Contains(d.protocols, found.protocol):
			found.Problem = unsupported(found.At, "%s has a protocol that %s does not support", name, from.Kind.WithArticle())
		case first != "" && first != found.protocol && (!throughRelay || isHTTP2(first) != isHTTP2(found.protocol)):
			found.Problem = differentProtocol(found, name, found.protocol, first)
		default:
			first = found.protocol
		}
	}
	return all
}

// HasPolicy reports whether a valid BackendTLSPolicy takes effect for any of the backends.
func HasPolicy(all []Resolution) bool {
	return slices.ContainsFunc(all, func(f Resolution) bool { return f.Policy != nil && f.Policy.TLS != nil })
}

// UsesTLS reports whether any of the backends is connected to over TLS.
func UsesTLS(all []Resolution) bool {
	return HasPolicy(all) || slices.ContainsFunc(all, func(f Resolution) bool { return isTLS(f.protocol) })
}

func unsupported(at field.Path, format string, args ...any) *Problem {
	return &Problem{gatewayv1.RouteReasonUnsupportedProtocol, fmt.Sprintf(format, args...), unit.At(at)}
}

func differentProtocol(found *Resolution, name, protocol, first string) *Problem {
	return unsupported(found.At, "%s uses the protocol %s, but another backend of the rule uses %s; all backends of a rule need the same", name, protocol, first)
}

// commonProtocol returns the protocol of a rule's backends, or unset if none has a weight.
func commonProtocol(shares []share, unset string) string {
	for _, s := range shares {
		if s.weight > 0 && s.protocol != "" {
			return s.protocol
		}
	}
	return unset
}

func isTLS(protocol string) bool { return protocol == "https" || protocol == "grpcs" }

func isHTTP2(protocol string) bool { return protocol == "grpc" || protocol == "grpcs" }
