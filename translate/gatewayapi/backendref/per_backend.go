package backendref

import (
	"fmt"
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/gatewayapi/filter"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
)

// separate tells rules whose backends have filters of their own. Which filters apply is
// known only when the backend is, so it is not Kong's balancer that chooses among all
// endpoints: the plugin chooses a backend at random, and each has an upstream of its own. So it is
// where backends are balanced in ways of their own. The only backend of a rule has its
// filters together with the rule's.
func separate(rule *gatewayv1.HTTPRouteRule) bool {
	return len(rule.BackendRefs) > 1 && slices.ContainsFunc(rule.BackendRefs, func(ref gatewayv1.HTTPBackendRef) bool {
		return len(ref.Filters) > 0
	})
}

// separated returns a rule's service, an upstream for each of its backends, and the shares
// that the plugin chooses from. A backend without endpoints has an upstream without targets, for
// which Kong answers 503, and one that is not there answers with the status given.
func separated(b route.Backend, shares []share, broken int) (all []filter.Share, total int, entities []*kong.Entity) {
	name := b.Host
	all, total = toShares(shares, broken, func(i int, s share) filter.Share {
		own := b
		own.Host, own.Targets, own.Tags = fmt.Sprintf("%s.%d", name, i), s.targets, kong.Tags(s.service, serviceKind, s.tags...)
		own.Balancing, own.HostHeader = s.balancing, s.hostHeader
		entities = append(entities, kong.Upstream(own)...)
		b.Host = own.Host // no request goes there without that choice, but a service has to name one
		return filter.Share{Upstream: own.Host}
	})
	return all, total, append(entities, kong.Service(b)...)
}

// toShares returns the shares that the plugin chooses from, where reach says how a backend is reached.
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
