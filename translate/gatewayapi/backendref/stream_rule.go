package backendref

import (
	"fmt"
	"strings"

	"k8s.io/utils/ptr"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/name"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// streamPlugin closes the share of connections whose backend is not there.
const streamPlugin = "kube-sync-stream"

// StreamBackends is the value of the unit of a stream's rule: what connections are sent to.
type StreamBackends struct {
	// Service is the Kong service's name; empty if there is no backend at all.
	Service string
	// Closed is the share of the connections that are for backends which are not there or
	// have no endpoints, out of Total; 0 if the service has them all.
	Closed, Total int

	// Unresolved is why a backend that is there is none to Kong; nil if all are.
	Unresolved *Problem
}

// Plugins returns the plugins that are needed beside the service.
func (s StreamBackends) Plugins() []route.Plugin {
	if s.Closed == 0 {
		return nil
	}
	return []route.Plugin{route.NewPlugin(streamPlugin, map[string]int{"closed": s.Closed, "total": s.Total})}
}

// Use returns the backends of a route's rule.
func (d StreamRoute) Use(r *unit.Reader, key unit.Key, rule int) StreamBackends {
	return unit.Use(r, d.rule.Of(key.Namespace, key.Name, ruleIndex(rule)))
}

// streamRule translates what one rule of a route sends connections to.
func (o Options) streamRule(d StreamRoute, key unit.Key, i int, r *unit.Reader) (unit.Fragment, StreamBackends) {
	object := r.Get(key)
	s, _ := StreamOf(object)
	refs := unit.Use(r, d.references.Of(key.Namespace, key.Name, ruleIndex(i)))
	if refs == nil {
		return unit.Fragment{}, StreamBackends{}
	}
	t := &ruleTranslation{options: o, reader: r, key: key, at: RuleField(i), purpose: d.Purpose, shares: sharesOf(s.Rules[i].backends, refs.Backends)}
	t.settings()
	all := t.agree()
	if !balanced(t.shares) {
		t.differ(t.at.Child("backendRefs"), "the backends of rule %d differ in annotations %s: those of the first count for all", i,
			konghq([]string{annotation.UpstreamPolicy, annotation.Override}))
	}
	found := closedShare(t.shares)
	found.Unresolved = t.found.Unresolved
	if found.Closed == found.Total {
		return t.fragment, StreamBackends{Unresolved: found.Unresolved}
	}
	found.Service = fmt.Sprintf("%s.%s.%s.%d", strings.ToLower(d.Kind.Kind), key.Namespace, key.Name, i) + name.Suffix(r, key)
	b := route.Backend{Name: found.Service, Host: found.Service, Protocol: agreed(t.shares, d.protocol), Port: 80, Targets: weighted(t.shares),
		Transport: all.transport, Balancing: all.balancing, Plugins: all.plugins, Refuse: t.refuse,
		Tags: kong.Tags(object, d.Kind, all.tags...)}
	if len(t.shares) == 1 {
		b.Tags = kong.Tags(t.shares[0].service, serviceKind, all.tags...)
	}
	t.fragment.Entities = kong.Backend(b)
	return t.fragment, found
}

// closedShare is the part of the connections that no backend takes. If all those that are
// there have no endpoints, connections find none by themselves, and an endpoint that comes
// is all that changes.
func closedShare(shares []share) (found StreamBackends) {
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
func (o Options) streamReferences(key unit.Key, i int, r *unit.Reader) (unit.Fragment, *References) {
	s, _ := StreamOf(r.Get(key))
	if i >= len(s.Rules) {
		return unit.Fragment{}, nil
	}
	return (&References{Backends: o.streamBackends(r, key, referring(s.Rules[i].backends, RuleField(i).Child("backendRefs")))}).told()
}

// streamBackends resolves the references of one rule. Kong speaks one protocol to all of
// them, that of the first one which gets connections.
func (o Options) streamBackends(r *unit.Reader, from unit.Key, refs []backendRef) []Resolution {
	all := make([]Resolution, len(refs))
	first := ""
	for i, ref := range refs {
		all[i] = o.resolve(r, from, ref)
		found := &all[i]
		if found.Problem != nil || ptr.Deref(ref.Weight, 1) == 0 {
			continue
		}
		protocol := found.Endpoints.Stream(StreamRoutes[from.Kind].Purpose)
		if first != "" && first != protocol {
			found.Problem = unsupported(found.At, "Service %s/%s is for %s, and another backend of the same rule for %s",
				found.Endpoints.Service.Namespace, found.Endpoints.Service.Name, protocol, first)
		} else {
			first = protocol
		}
		found.protocol = protocol
	}
	return all
}
