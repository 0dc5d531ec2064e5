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

// streamPlugin closes the connections whose backend is unavailable.
const streamPlugin = "kube-sync-stream"

// StreamBackends is the value of the unit of a stream route's rule: the backends of its connections.
type StreamBackends struct {
	// Service is the name of the Kong service; empty if no backend is available.
	Service string
	// Closed is the weight, out of Total, of the backends that are unavailable or have no
	// endpoints; 0 if the service gets all connections.
	Closed, Total int

	// Unresolved is the first problem with a Service that exists; nil if there is none.
	Unresolved *Problem
}

// Plugins returns the plugins that close connections.
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

// streamRule translates the backends of one rule of a stream route.
func (o Options) streamRule(d StreamRoute, key unit.Key, i int, r *unit.Reader) (unit.Fragment, StreamBackends) {
	object := r.Get(key)
	s, _ := StreamOf(object)
	refs := unit.Use(r, d.references.Of(key.Namespace, key.Name, ruleIndex(i)))
	if refs == nil {
		return unit.Fragment{}, StreamBackends{}
	}
	t := &ruleTranslation{options: o, reader: r, key: key, at: RuleField(i), purpose: d.Purpose, shares: sharesOf(s.Rules[i].backends, refs.Backends)}
	t.settings()
	all := t.commonSettings()
	if !sameBalancing(t.shares) {
		t.differ(t.at.Child("backendRefs"), "the backends of rule %d differ in the annotations %s: the first backend's apply to all", i,
			konghq([]string{annotation.UpstreamPolicy, annotation.Override}))
	}
	found := closedShare(t.shares)
	found.Unresolved = t.found.Unresolved
	if found.Closed == found.Total {
		return t.fragment, StreamBackends{Unresolved: found.Unresolved}
	}
	found.Service = fmt.Sprintf("%s.%s.%s.%d", strings.ToLower(d.Kind.Kind), key.Namespace, key.Name, i) + name.Suffix(r, key)
	b := route.Backend{Name: found.Service, Host: found.Service, Protocol: commonProtocol(t.shares, d.protocol), Port: 80, Targets: weighted(t.shares),
		Transport: all.transport, Balancing: all.balancing, Plugins: all.plugins, Refuse: t.refuse,
		Tags: kong.Tags(object, d.Kind, all.tags...)}
	if len(t.shares) == 1 {
		b.Tags = kong.Tags(t.shares[0].service, serviceKind, all.tags...)
	}
	t.fragment.Entities = kong.Backend(b)
	return t.fragment, found
}

// closedShare returns the part of the connections to close. It is 0 if no available backend has
// endpoints: Kong then closes all connections by itself, and a new endpoint changes the targets only.
func closedShare(shares []share) (found StreamBackends) {
	total, broken, empty := weights(shares)
	found.Total = total
	if found.Closed = broken + empty; found.Closed == total && empty > 0 {
		found.Closed = 0
	}
	return found
}

// streamReferences resolves the references of a rule.
func (o Options) streamReferences(key unit.Key, i int, r *unit.Reader) (unit.Fragment, *References) {
	s, _ := StreamOf(r.Get(key))
	if i >= len(s.Rules) {
		return unit.Fragment{}, nil
	}
	return (&References{Backends: o.streamBackends(r, key, withPaths(s.Rules[i].backends, RuleField(i).Child("backendRefs")))}).fragment()
}

// streamBackends resolves the references of one rule. Kong uses one protocol for all of them: that
// of the first backend with a weight.
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
			found.Problem = differentProtocol(found, fmt.Sprintf("Service %s/%s", found.Endpoints.Service.Namespace, found.Endpoints.Service.Name), protocol, first)
		} else {
			first = protocol
		}
		found.protocol = protocol
	}
	return all
}
