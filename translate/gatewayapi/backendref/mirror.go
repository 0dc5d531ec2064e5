package backendref

import (
	"fmt"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// mirror is a RequestMirror filter, with the path of its backendRef.
type mirror struct {
	*gatewayv1.HTTPRequestMirrorFilter
	at field.Path
	// backend is the index of the backend whose requests are mirrored; -1 for all backends.
	backend int
}

// mirrorsIn returns the mirrors of a rule, whose path is at, and of all its backends.
func mirrorsIn(rule *gatewayv1.HTTPRouteRule, at field.Path) []mirror {
	var all []mirror
	add := func(filters []gatewayv1.HTTPRouteFilter, at field.Path, backend int) {
		for i, f := range filters {
			if f.Type == gatewayv1.HTTPRouteFilterRequestMirror && f.RequestMirror != nil {
				all = append(all, mirror{f.RequestMirror, at.Child("filters").Index(i).Child("requestMirror", "backendRef"), backend})
			}
		}
	}
	add(rule.Filters, at, -1)
	for i, ref := range rule.BackendRefs {
		add(ref.Filters, at.Child("backendRefs").Index(i), i)
	}
	return all
}

// mirrorsOf returns the RequestMirror filters.
func mirrorsOf(filters []gatewayv1.HTTPRouteFilter) []*gatewayv1.HTTPRequestMirrorFilter {
	var all []*gatewayv1.HTTPRequestMirrorFilter
	for _, f := range filters {
		if f.Type == gatewayv1.HTTPRouteFilterRequestMirror && f.RequestMirror != nil {
			all = append(all, f.RequestMirror)
		}
	}
	return all
}

// mirrorBackend resolves the reference of a mirror.
func (o Options) mirrorBackend(r *unit.Reader, from unit.Key, d RequestRoute, m mirror) Resolution {
	found := o.backends(r, from, d, []backendRef{{gatewayv1.BackendRef{BackendObjectReference: m.BackendRef}, m.at}})[0]
	if found.Problem == nil && found.Policy == nil && ptr.Deref(annotation.Of(found.Endpoints.Service, from).VerifyTLS(), false) {
		found.Problem = unsupported(found.At, "Service %s/%s has the annotation %s%s, which is not supported for mirrors",
			found.Endpoints.Service.Namespace, found.Endpoints.Service.Name, annotation.Prefix, annotation.TLSVerify)
	}
	return found
}

// mirrors returns the resolved mirrors of a backend, or of all backends for -1; the route's status
// reports the others. A mirror gets no requests while it has no endpoints.
func (t *ruleTranslation) mirrors(backend int) []route.Mirror {
	var all []route.Mirror
	for i, m := range mirrorsIn(t.rule, t.at) {
		found := t.refs.Mirrors[i]
		if backend >= 0 && m.backend >= 0 && m.backend != backend {
			continue
		}
		s := share{weight: 1, protocol: found.protocol}
		s.targets, _ = t.firstTargets(found.Endpoints.Targets, max(len(t.shares), 1)) // enough for copies
		if found.Policy != nil {
			s.tls = found.Policy.TLS
		}
		if found.Problem != nil || found.Policy != nil && s.tls == nil || s.live() == 0 {
			continue
		}
		copied := route.Mirror{
			Name:    fmt.Sprintf("%s/%s:%d", found.Endpoints.Service.Namespace, m.BackendRef.Name, *m.BackendRef.Port),
			Backend: t.relayBackend(s), Numerator: 1, Denominator: 1,
		}
		switch {
		case m.Percent != nil:
			copied.Numerator, copied.Denominator = int(*m.Percent), 100
		case m.Fraction != nil:
			copied.Numerator, copied.Denominator = int(m.Fraction.Numerator), int(ptr.Deref(m.Fraction.Denominator, 100))
		}
		all = append(all, copied)
	}
	return all
}
