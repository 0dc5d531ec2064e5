package gatewayapi

import (
	"fmt"
	"slices"

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

// allFilters are those of a rule and of all its backends.
func allFilters(rule *gatewayv1.HTTPRouteRule) []gatewayv1.HTTPRouteFilter {
	all := slices.Clone(rule.Filters)
	for _, ref := range rule.BackendRefs {
		all = append(all, ref.Filters...)
	}
	return all
}

// mirrorBackend follows the reference of a mirror.
func (o Options) mirrorBackend(r *unit.Reader, from unit.Key, d dialect, m mirror) resolution {
	found := o.backends(r, from, d, []backendRef{{gatewayv1.BackendRef{BackendObjectReference: m.BackendRef}, m.at}})[0]
	if found.problem == nil && found.policy == nil && annotation.Of(found.endpoints.Service, from).Bool(annotation.TLSVerify, false) {
		found.problem = unsupported(found.at, "Service %s/%s is to be verified by its annotation %s%s, which is not supported of mirrors",
			found.endpoints.Service.Namespace, found.endpoints.Service.Name, annotation.Prefix, annotation.TLSVerify)
	}
	return found
}

// mirrors returns those mirrors of a backend, or of all for -1, that exist; the route's status tells
// of the others. One without an endpoint gets no copies until it has one.
func (t *ruleTranslation) mirrors(backend int) []route.Mirror {
	var all []route.Mirror
	for i, m := range mirrorsIn(t.rule, t.at) {
		found := t.refs.mirrors[i]
		if backend >= 0 && m.backend >= 0 && m.backend != backend {
			continue
		}
		s := share{weight: 1, protocol: found.protocol}
		s.targets, _ = t.few(found.endpoints.Targets, max(len(t.shares), 1)) // copies can do with fewer
		if found.policy != nil {
			s.tls = found.policy.TLS
		}
		if found.problem != nil || found.policy != nil && s.tls == nil || s.live() == 0 {
			continue
		}
		copied := route.Mirror{
			Name:    fmt.Sprintf("%s/%s:%d", found.endpoints.Service.Namespace, m.BackendRef.Name, *m.BackendRef.Port),
			Backend: t.relayBackend(s), Numerator: 1, Denominator: 1,
		}
		switch {
		case m.Percent != nil:
			copied.Numerator, copied.Denominator = int(*m.Percent), 100
		case m.Fraction != nil:
			copied.Numerator, copied.Denominator = int(m.Fraction.Numerator), int(value(m.Fraction.Denominator, 100))
		}
		all = append(all, copied)
	}
	return all
}
