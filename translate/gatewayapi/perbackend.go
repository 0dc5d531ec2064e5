package gatewayapi

import (
	"fmt"
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// separate tells rules whose backends have filters of their own. Which filters apply is
// known only when the backend is, so it is not Kong's balancer that chooses among all
// endpoints: the plugin draws a backend, and each has an upstream of its own. So it is
// where backends are balanced in ways of their own. The only backend of a rule has its
// filters together with the rule's.
func separate(rule *gatewayv1.HTTPRouteRule) bool {
	return len(rule.BackendRefs) > 1 && slices.ContainsFunc(rule.BackendRefs, func(ref gatewayv1.HTTPBackendRef) bool {
		return len(ref.Filters) > 0
	})
}

// separated gives a rule's service, an upstream for each of its backends, and what is
// to be drawn from. A backend without endpoints has an upstream without targets, for
// which Kong answers 503, and one that is not there answers with the status given.
func separated(b route.Backend, shares []share, broken int) (all []drawn, total int, entities []*kong.Entity) {
	name := b.Host
	all, total = draw(shares, broken, func(i int, s share) drawn {
		own := b
		own.Host, own.Targets, own.Tags = fmt.Sprintf("%s.%d", name, i), s.targets, kong.Tags(s.service, serviceKind, s.tags...)
		own.Balancing, own.HostHeader = s.balancing, s.hostHeader
		entities = append(entities, kong.Upstream(own)...)
		b.Host = own.Host // no request goes there undrawn, but a service has to name one
		return drawn{Upstream: own.Host}
	})
	return all, total, append(entities, kong.Service(b)...)
}

// draw gives what is to be drawn from, where reach says how a backend is reached.
func draw(shares []share, broken int, reach func(i int, s share) drawn) (all []drawn, total int) {
	for i, s := range shares {
		total += s.weight
		if s.weight == 0 {
			continue
		}
		d := drawn{Status: broken}
		if !s.broken {
			d = reach(i, s)
		}
		d.Weight, d.ref = s.weight, i
		all = append(all, d)
	}
	return all, total
}

// own adds to what is drawn the filters of each backend. Of a backend with a filter
// that is not supported the share is answered with an error, and the error says so. The path is
// the rule's.
func (f *filters) own(rule *gatewayv1.HTTPRouteRule, matched route.Path, at field.Path) (wrong []error) {
	f.Shares = slices.Clone(f.Shares) // the rule's unit's
	for i := range f.Shares {
		d := &f.Shares[i]
		if d.Status != 0 {
			continue
		}
		for k, filter := range rule.BackendRefs[d.ref].Filters {
			if err := d.add(filter, matched); err != nil {
				own := at.Child("backendRefs").Index(d.ref).Child("filters").Index(k)
				wrong = append(wrong, unit.WithFault(fmt.Errorf("backend %d: %w", d.ref, err), unit.FaultOf(err, "").Within(own)))
				*d = drawn{Weight: d.Weight, Status: 500}
				break
			}
		}
	}
	return wrong
}
