package backendref

import (
	"fmt"
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/gatewayapi/filter"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
)

// hasBackendFilters reports whether the backends of a rule have filters of their own. These apply
// only after a backend is chosen, so Kong's balancer cannot choose among all endpoints: the plugin
// chooses a backend at random, and each has an upstream of its own. The same happens to backends
// with different balancing. The filters of a rule's only backend are added to the rule's.
func hasBackendFilters(rule *gatewayv1.HTTPRouteRule) bool {
	return len(rule.BackendRefs) > 1 && slices.ContainsFunc(rule.BackendRefs, func(ref gatewayv1.HTTPBackendRef) bool {
		return len(ref.Filters) > 0
	})
}

// upstreamPerBackend returns a rule's service, an upstream for each of its backends, and the shares
// that the plugin chooses from. Kong answers 503 for a backend without endpoints, and broken for an
// unavailable one.
func upstreamPerBackend(b route.Backend, shares []share, broken int) (all []filter.Share, total int, entities []*kong.Entity) {
	name := b.Host
	all, total = toShares(shares, broken, func(i int, s share) filter.Share {
		own := b
		own.Host, own.Targets, own.Tags = fmt.Sprintf("%s.%d", name, i), s.targets, kong.Tags(s.service, serviceKind, s.tags...)
		own.Balancing, own.HostHeader = s.balancing, s.hostHeader
		entities = append(entities, kong.Upstream(own)...)
		b.Host = own.Host // a service needs a host, although the plugin replaces it
		return filter.Share{Upstream: own.Host}
	})
	return all, total, append(entities, kong.Service(b)...)
}

// toShares returns the shares that the plugin chooses from, and the sum of all weights. Reach makes
// the share of an available backend.
func toShares(shares []share, broken int, reach func(i int, s share) filter.Share) (all []filter.Share, total int) {
	for i, s := range shares {
		total += s.weight
		if s.weight == 0 {
			continue
		}
		d := filter.Share{Status: broken}
		if !s.broken {
			d = reach(i, s)
		}
		d.Weight, d.Ref = s.weight, i
		all = append(all, d)
	}
	return all, total
}
