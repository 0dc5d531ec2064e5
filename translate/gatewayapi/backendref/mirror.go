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

// mirror is a filter that asks for copies of requests, and the path of its reference.
type mirror struct {
	*gatewayv1.HTTPRequestMirrorFilter
	at field.Path
	// backend is the place of the backend whose requests are copied; those of all for -1.
	backend int
}

// mirrorsIn are the mirrors of a rule and of all its backends. The path is the rule's.
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

// mirrorsOf are the filters that ask for copies of requests.
func mirrorsOf(filters []gatewayv1.HTTPRouteFilter) []*gatewayv1.HTTPRequestMirrorFilter {
	var all []*gatewayv1.HTTPRequestMirrorFilter
	for _, f := range filters {
		if f.Type == gatewayv1.HTTPRouteFilterRequestMirror && f.RequestMirror != nil {
			all = append(all, f.RequestMirror)
		}
	}
	return all
}

// mirrorBackend follows the reference of a mirror.
func (o Options) mirrorBackend(r *unit.Reader, from unit.Key, d RequestRoute, m mirror) Resolution {
	found := o.backends(r, from, d, []backendRef{{gatewayv1.BackendRef{BackendObjectReference: m.BackendRef}, m.at}})[0]
	if found.Problem == nil && found.Policy == nil && annotation.Of(found.Endpoints.Service, from).Bool(annotation.TLSVerify, false) {
		found.Problem = unsupported(found.At, "Service %s/%s is to be verified by its annotation %s%s, which is not supported of mirrors",
			found.Endpoints.Service.Namespace, found.Endpoints.Service.Name, annotation.Prefix, annotation.TLSVerify)
	}
	return found
}

// mirrors returns those mirrors of a backend, or of all for -1, that exist; the route's status tells
// of the others. One without an endpoint gets no copies until it has one.
func (t *ruleTranslation) mirrors(backend int) []route.Mirror {
	var all []route.Mirror
	for i, m := range mirrorsIn(t.rule, t.at) {
		found := t.refs.Mirrors[i]
		if backend >= 0 && m.backend >= 0 && m.backend != backend {
			continue
		}
		s := share{weight: 1, protocol: found.protocol}
		s.targets, _ = t.few(found.Endpoints.Targets, max(len(t.shares), 1)) // copies can do with fewer
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
