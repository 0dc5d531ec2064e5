package difference

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// rule is what a rule of a route has: what it matches, and its backends.
type rule struct {
	matches  any
	where    string
	backends []gatewayv1.BackendRef
}

// rulesOf returns the rules of an HTTPRoute or a GRPCRoute; none for other objects.
func rulesOf(object unit.Object) (rules []rule) {
	switch route := object.(type) {
	case *gatewayv1.HTTPRoute:
		for _, r := range route.Spec.Rules {
			found := rule{matches: r.Matches, where: "requests"}
			for i, m := range r.Matches {
				if i == 0 && m.Path != nil && m.Path.Value != nil {
					found.where = *m.Path.Value
				}
			}
			for _, b := range r.BackendRefs {
				found.backends = append(found.backends, b.BackendRef)
			}
			rules = append(rules, found)
		}
	case *gatewayv1.GRPCRoute:
		for _, r := range route.Spec.Rules {
			found := rule{matches: r.Matches, where: "requests"}
			for i, m := range r.Matches {
				if i == 0 && m.Method != nil {
					found.where = "/" + ptr.Deref(m.Method.Service, "*") + "/" + ptr.Deref(m.Method.Method, "*")
				}
			}
			for _, b := range r.BackendRefs {
				found.backends = append(found.backends, b.BackendRef)
			}
			rules = append(rules, found)
		}
	}
	return rules
}

// shares says how the shares of the backends of a rule change.
func (c *comparison) shares() {
	byOwner := grouped[unit.Key, kong.Ref]{}
	for _, e := range c.entities {
		if e.Before != nil && e.Object.Kind != "" && slices.Contains([]kong.Type{kong.Services, kong.Upstreams}, e.Ref.Type) {
			byOwner.add(e.Object)
		}
	}
	for _, p := range c.pairs {
		if p.isKept() && c.backendsDiffer(p) {
			byOwner.add(p.after.owner, append(c.withMoved([]kong.Ref{p.before.service, p.after.service}), p.refs()...)...)
		}
	}
	for _, owner := range byOwner.keys {
		before, after := rulesOf(c.before.objects[owner]), rulesOf(c.after.objects[owner])
		for i := range min(len(before), len(after)) {
			if reflect.DeepEqual(before[i].matches, after[i].matches) && split(before[i]) && split(after[i]) && !reflect.DeepEqual(before[i].backends, after[i].backends) {
				c.say(owner, byOwner.values[owner], "%s: the shares of its backends change from %s to %s", after[i].where, sharesOf(before[i], owner), sharesOf(after[i], owner))
			}
		}
	}
}

// split reports whether a rule has several backends.
func split(r rule) bool { return len(r.backends) > 1 }

func sharesOf(r rule, owner unit.Key) string {
	var said []string
	for _, b := range r.backends {
		service := unit.Service.Key(string(ptr.Deref(b.Namespace, gatewayv1.Namespace(owner.Namespace))), string(b.Name))
		said = append(said, fmt.Sprintf("%s %d", shortName(service, owner), ptr.Deref(b.Weight, 1)))
	}
	return strings.Join(said, ", ")
}

// backendsDiffer reports whether an endpoint of a route's backends differs.
func (c *comparison) backendsDiffer(p pair) bool {
	for _, upstream := range c.after.backendOf(p.after.service) {
		if c.differs(upstream) || slices.ContainsFunc(c.after.children[upstream], c.differs) || slices.ContainsFunc(c.before.children[upstream], c.differs) {
			return true
		}
	}
	return c.differs(p.after.service)
}

// endpoints says which backends get and lose endpoints.
func (c *comparison) endpoints() {
	byUpstream := grouped[kong.Ref, Change]{}
	for _, e := range c.entities {
		if e.Ref.Type == kong.Targets && !c.covered[e.Ref] {
			one := e.After
			if one == nil {
				one = e.Before
			}
			for _, parent := range one.Parents {
				byUpstream.add(parent, e)
			}
		}
	}
	for _, upstream := range byUpstream.keys {
		var added, removed, weighed int
		var refs []kong.Ref
		for _, e := range byUpstream.values[upstream] {
			refs = append(refs, e.Ref)
			switch {
			case e.Before == nil:
				added++
			case e.After == nil:
				removed++
			default:
				weighed++
			}
		}
		c.say(c.ownerOf(upstream), refs, "%s", endpointsSaid(added, removed, weighed))
	}
}

func endpointsSaid(added, removed, weighed int) string {
	var said []string
	if added > 0 {
		said = append(said, "gains "+plural(added, "endpoint"))
	}
	if removed > 0 {
		said = append(said, "loses "+plural(removed, "endpoint"))
	}
	if weighed > 0 {
		said = append(said, "changes the weights of "+plural(weighed, "endpoint"))
	}
	return strings.Join(said, " and ")
}

// ownerOf returns the object that an entity is made of, after the change if it still exists.
func (c *comparison) ownerOf(ref kong.Ref) unit.Key {
	for _, s := range []side{c.after, c.before} {
		if m, ok := s.entities[ref]; ok {
			return objectOf(m, fieldsOf(m.Entity))
		}
	}
	return unit.Key{}
}
