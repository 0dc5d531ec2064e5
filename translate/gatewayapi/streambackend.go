package gatewayapi

import (
	"fmt"
	"strings"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/name"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// streamPlugin closes the share of connections whose backend is not there.
const streamPlugin = "kube-sync-stream"

// streamShares is the value of the unit of a stream's rule: what connections are sent to.
type streamShares struct {
	// Service is the Kong service's name; empty if there is no backend at all.
	Service string
	// Closed is the share of the connections that are for backends which are not there or
	// have no endpoints, out of Total; 0 if the service has them all.
	Closed, Total int

	// unresolved is why a backend that is there is none to Kong; nil if all are.
	unresolved *reference
}

// plugins are what it takes beside the service.
func (s streamShares) plugins() []route.Plugin {
	if s.Closed == 0 {
		return nil
	}
	return []route.Plugin{pluginOf(streamPlugin, map[string]int{"closed": s.Closed, "total": s.Total})}
}

// use gives the backends of a route's rule.
func (d streamDialect) use(r *unit.Reader, key unit.Key, rule int) streamShares {
	return unit.Use(r, d.rule.Of(key.Namespace, key.Name, ruleIndex(rule)))
}

// streamRule translates what one rule of a route sends connections to.
func (o Options) streamRule(d streamDialect, key unit.Key, i int, r *unit.Reader) (unit.Fragment, streamShares) {
	object := r.Get(key)
	s, _ := streamOf(object)
	refs := unit.Use(r, d.backends.Of(key.Namespace, key.Name, ruleIndex(i)))
	if refs == nil {
		return unit.Fragment{}, streamShares{}
	}
	t := &ruleTranslation{options: o, reader: r, key: key, at: ruleField(i), purpose: d.purpose, shares: sharesOf(s.rules[i].backends, refs.backends)}
	t.settings()
	all := t.agree()
	if !balanced(t.shares) {
		t.differ(t.at.Child("backendRefs"), "the backends of rule %d differ in annotations %s: those of the first count for all", i,
			konghq([]string{annotation.UpstreamPolicy, annotation.Override}))
	}
	found := closedShare(t.shares)
	found.unresolved = t.found.unresolved
	if found.Closed == found.Total {
		return t.fragment, streamShares{unresolved: found.unresolved}
	}
	found.Service = fmt.Sprintf("%s.%s.%s.%d", strings.ToLower(d.kind.Kind), key.Namespace, key.Name, i) + name.Suffix(r, key)
	b := route.Backend{Name: found.Service, Host: found.Service, Protocol: agreed(t.shares, d.protocol), Port: 80, Targets: weighted(t.shares),
		Transport: all.transport, Balancing: all.balancing, Plugins: all.plugins, Refuse: t.refuse,
		Tags: kong.Tags(object, d.kind, all.tags...)}
	if len(t.shares) == 1 {
		b.Tags = kong.Tags(t.shares[0].service, serviceKind, all.tags...)
	}
	t.fragment.Entities = kong.Backend(b)
	return t.fragment, found
}

// closedShare is the part of the connections that no backend takes. If all those that are
// there have no endpoints, connections find none by themselves, and an endpoint that comes
// is all that changes.
func closedShare(shares []share) (found streamShares) {
	broken, empty := 0, 0
	for _, s := range shares {
		found.Total += s.weight
		switch {
		case s.broken:
			broken += s.weight
		case s.live() == 0:
			empty += s.weight
		}
	}
	if found.Closed = broken + empty; found.Closed == found.Total && empty > 0 {
		found.Closed = 0
	}
	return found
}

// streamReferences follows the references of a rule.
func (o Options) streamReferences(key unit.Key, i int, r *unit.Reader) (unit.Fragment, *references) {
	s, _ := streamOf(r.Get(key))
	if i >= len(s.rules) {
		return unit.Fragment{}, nil
	}
	return (&references{backends: o.streamBackends(r, key, referring(s.rules[i].backends, ruleField(i).Child("backendRefs")))}).told()
}

// streamBackends resolves the references of one rule. Kong speaks one protocol to all of
// them, that of the first one which gets connections.
func (o Options) streamBackends(r *unit.Reader, from unit.Key, refs []backendRef) []resolution {
	all := make([]resolution, len(refs))
	first := ""
	for i, ref := range refs {
		all[i] = o.resolve(r, from, ref)
		found := &all[i]
		if found.problem != nil || value(ref.Weight, 1) == 0 {
			continue
		}
		protocol := found.endpoints.Stream(streamRoutes[from.Kind].purpose)
		if first != "" && first != protocol {
			found.problem = unsupported(found.at, "Service %s/%s is for %s, and another backend of the same rule for %s",
				found.endpoints.Service.Namespace, found.endpoints.Service.Name, protocol, first)
		} else {
			first = protocol
		}
		found.protocol = protocol
	}
	return all
}
