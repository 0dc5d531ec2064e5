package explain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// mostFindings is the number of findings in an answer.
const mostFindings = 20

// ranked is a finding and how close it is to the request.
type ranked struct {
	Finding
	closeness int
}

// findings returns the problems that concern a request, the closest first: of objects that name the
// host or port, of what these read, and of the endpoints that are missing.
func (c *Configuration) findings(at arrival, a *Answer) []Finding {
	var all []ranked
	add := func(closeness int, more ...Finding) {
		for _, f := range more {
			all = append(all, ranked{f, closeness})
		}
	}
	subjects := c.subjects(at)
	lost := c.lostClaims()
	for _, key := range slices.SortedFunc(maps.Keys(subjects), unit.Key.Compare) {
		s := subjects[key]
		own := c.problems(key, s.parts)
		add(s.closeness, own...)
		add(s.closeness, c.lostTo(key, lost[key], own)...)
		if s.closeness > 1 {
			for _, source := range c.graph.Sources(key) {
				if depended(source.Kind) {
					add(s.closeness-1, c.problems(source, nil)...)
				}
			}
		}
		if _, served := c.graph.Source(key); !served && len(own) == 0 {
			add(s.closeness, c.unserved(key)...)
		}
	}
	if a.Route != nil {
		without := c.withoutEndpoints(a)
		if add(4, without...); len(without) == 0 {
			add(5, c.unanswered(at, a)...)
		}
	}
	add(5, outdated(at, a.Certificate)...)
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(b.closeness, a.closeness) })
	var found []Finding
	for _, r := range all {
		if len(found) < mostFindings && !slices.Contains(found, r.Finding) {
			found = append(found, r.Finding)
		}
	}
	return found
}

// withoutEndpoints returns why Services of the route have no endpoints.
func (c *Configuration) withoutEndpoints(a *Answer) (found []Finding) {
	for _, source := range c.graph.Sources(a.Route.Object.Key()) {
		if source.Kind == unit.Service && c.lacksEndpoints(a, source) {
			found = append(found, c.missingEndpoints(source)...)
		}
	}
	return found
}

// subject is an object that names the request, and with which of its parts.
type subject struct {
	closeness int
	parts     []field.Path
}

// subjects returns the objects that name the host or port of a request, or nearly do. Those that name
// all hosts only count if they have the route.
func (c *Configuration) subjects(at arrival) map[unit.Key]subject {
	all := map[unit.Key]subject{}
	for _, kind := range routeKinds {
		for key, object := range c.graph.Objects(kind) {
			for _, n := range namesOf(object) {
				closeness := n.closeness(at.Request)
				if closeness == 0 || closeness == 2 && !c.mayServe(at, key) {
					continue
				}
				s := all[key]
				s.closeness, s.parts = max(s.closeness, closeness), append(s.parts, n.at)
				all[key] = s
			}
		}
	}
	return all
}

// mayServe reports whether an object that names all hosts may be meant for a request: it has the
// route, or no route has the request.
func (c *Configuration) mayServe(at arrival, key unit.Key) bool {
	return at.route == nil || at.route.Priority == 0 || at.route.object.Kind == unit.Gateway || at.route.object.Key() == key
}

// depended reports whether routes fail because of objects of a kind.
func depended(kind unit.Kind) bool {
	return !slices.Contains([]unit.Kind{unit.Namespace, unit.IngressClass, unit.CustomResourceDefinition, unit.ReferenceGrant,
		unit.HTTPRoute, unit.GRPCRoute, unit.TLSRoute, unit.TCPRoute, unit.UDPRoute, unit.Ingress}, kind)
}

// problems returns the verdicts on an object that are not as they should be. With parts, it leaves
// out those on other parts of the spec.
func (c *Configuration) problems(key unit.Key, parts []field.Path) (found []Finding) {
	verdicts := c.graph.Verdicts(key)
	if status := c.graph.Status(key); status != nil {
		verdicts = append(verdicts, status.Diagnostics()...)
	}
	for _, v := range verdicts {
		if v.OK || v.Follows || len(parts) > 0 && elsewhereIn(v.Field, parts) {
			continue
		}
		found = append(found, Finding{Object: Object(v.Object), Field: v.Field, Reason: v.Reason, Why: v.Message})
	}
	return found
}

// elsewhereIn reports whether a field is in another rule than all of the parts.
func elsewhereIn(at field.Path, parts []field.Path) bool {
	rules := field.Spec.Child("rules")
	steps := at.Steps()
	if !at.IsIn(rules) || len(steps) < 3 {
		return false
	}
	return !slices.ContainsFunc(parts, func(part field.Path) bool { return part == "" || at.IsIn(part) })
}

// lostClaims returns the claims of routes that others take precedence over, by object.
func (c *Configuration) lostClaims() map[unit.Key][]unit.Standing {
	all := map[unit.Key][]unit.Standing{}
	for s := range c.standings() {
		if !s.Effective && s.Holder != (unit.Key{}) {
			all[s.Object] = append(all[s.Object], s)
		}
	}
	return all
}

// lostTo returns the claims that an object lost and that no verdict mentions.
func (c *Configuration) lostTo(key unit.Key, lost []unit.Standing, known []Finding) (found []Finding) {
	for _, s := range lost {
		if !slices.ContainsFunc(known, func(f Finding) bool { return f.Field == s.Field }) {
			found = append(found, Finding{Object: Object(key), Field: s.Field, Reason: "MatchConflict", Why: fmt.Sprintf("%s has the same match and takes precedence", s.Holder)})
		}
	}
	return found
}

// unanswered returns why Kong answers itself although a route matches.
func (c *Configuration) unanswered(at arrival, a *Answer) []Finding {
	f := Finding{Object: a.Route.Object, Field: a.Route.Field}
	if a.Status == 0 {
		return nil
	}
	status, by := a.Status, a.Statuses[len(a.Statuses)-1]
	f.Why = by.Why
	switch redirect, _ := redirected(at.route, at.Request); {
	case redirect != 0:
		f.Reason = reasonOtherProtocol
	case status >= 500 && (by.By == "kong" || by.By == "kube-sync-http"):
		f.Reason = reasonNoBackend
	default:
		return nil
	}
	return []Finding{f}
}

// outdated returns the problem of a certificate that is not valid at the time of the request.
func outdated(at arrival, c *Certificate) []Finding {
	if c == nil || at.Time.IsZero() {
		return nil
	}
	f := Finding{Object: c.Object, Field: field.NewPath("data").Key("tls.crt")}
	switch {
	case at.Time.After(c.NotAfter):
		f.Reason, f.Why = reasonCertificateExpired, "the certificate was valid until "+c.NotAfter.Format(time.DateOnly)
	case at.Time.Before(c.NotBefore):
		f.Reason, f.Why = reasonCertificateNotYetValid, "the certificate is valid from "+c.NotBefore.Format(time.DateOnly)
	default:
		return nil
	}
	return []Finding{f}
}
