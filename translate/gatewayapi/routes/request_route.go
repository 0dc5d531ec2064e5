package routes

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/consumer"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendref"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/filter"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gateway"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/routing"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// requestRule is a rule of an HTTPRoute, or a rule of a GRPCRoute that was converted to one.
type requestRule struct {
	matches []route.Match
	// matchless is whether the rule has no match and so matches all requests.
	matchless bool
	*gatewayv1.HTTPRouteRule
	// needsRelay is whether the rule's backends need the relay, usesTLS whether some of the
	// backends or mirrors are connected to over TLS.
	needsRelay, usesTLS bool
}

// part returns a match of a rule, by their indexes, as messages name it.
func (r requestRule) part(i, j int) kong.Part {
	p := kong.Part{Name: fmt.Sprintf("rule %d match %d", i, j), Path: backendref.RuleField(i)}
	if !r.matchless {
		p.Path = p.Path.Child("matches").Index(j)
	}
	return p
}

// requestTranslation is the state of translating one HTTPRoute or GRPCRoute.
type requestTranslation struct {
	routeTranslation
	kind  backendref.RequestRoute
	rules []requestRule

	base       route.Route // what all routes in Kong have in common
	attached   plugin.Attachment
	userTags   []string
	unservable int // number of rules of which no match can be served
	namedRoute map[string]bool
}

// translate attaches the route and translates all rules.
func (t *requestTranslation) translate() unit.Fragment {
	t.attach()
	if len(t.attachment.parents) > 0 {
		t.settings()
		for _, why := range t.attachment.ambiguous {
			t.warn(unit.At(field.Spec.Child("parentRefs")), "ClientCertificateConflict", "%s", why)
		}
		for i := range t.rules {
			t.rule(i)
		}
		if len(t.rules) > t.unservable {
			for _, b := range t.attachment.bindings {
				t.refuseMisdirected(b)
				t.certify(b)
			}
		}
	}
	t.finish(len(t.rules) > 0 && t.unservable == len(t.rules))
	return t.fragment
}

// settings reads the annotations.
func (t *requestTranslation) settings() {
	values := annotation.Of(t.object, t.key)
	t.base = values.Route(route.Route{PreserveHost: true, BufferRequest: true, BufferResponse: true, HTTPSRedirectStatus: 426})
	t.userTags = append(values.UserTags(), consumer.RouteTags(t.reader, t.key)...)
	t.namedRoute = map[string]bool{}
	read := append(slices.Clone(annotation.RouteNames), annotation.Plugins, annotation.HostAliases)
	t.attached = plugin.Attached(t.reader, t.object, t.key)
	t.aliases(values)
	t.fragment.Verdicts = slices.Concat(values.Verdicts, annotation.Ignored(t.object, t.key, read...), t.attached.Verdicts)
	for _, b := range t.attachment.bindings {
		if _, _, ok := protocolsFor(b.schemes, t.base.Protocols); !ok {
			t.warn(unit.At(annotation.Field(annotation.Protocols)), condition.ReasonAnnotationWithoutEffect, "annotation %s%s excludes the protocol of a listener for %s", annotation.Prefix, annotation.Protocols, b.schemes[0])
		}
	}
}

// extend sets the plugins of a rule's route. If one is unavailable, the route refuses all requests.
func (t *requestTranslation) extend(r *route.Route, f filter.Set) {
	all := t.attached
	for _, e := range f.Extensions {
		all = all.With(plugin.Named(t.reader, t.key, e.Name, e.At), t.key, e.At)
	}
	r.Plugins, r.Refuse = slices.Concat(all.Plugins, f.Plugins()), all.Refuse
	t.refuse(all)
	t.fragment.Verdicts = unit.AppendNew(t.fragment.Verdicts, all.Verdicts...)
}

// rule translates one rule for all hosts.
func (t *requestTranslation) rule(i int) {
	rule := &t.rules[i]
	refs := t.kind.References(t.reader, t.key, i)
	for _, found := range slices.Concat(refs.Backends, refs.Mirrors) {
		t.resolve(found)
		t.attachPolicies(i, found)
	}
	rule.needsRelay = backendref.HasPolicy(refs.Backends) || backendref.NeedsRelayForCertificate(refs.Backends) && slices.ContainsFunc(t.attachment.bindings, binding.hasClientCertificate)
	rule.usesTLS = backendref.UsesTLS(refs.Backends) || backendref.UsesTLS(refs.Mirrors)
	served := 0
	for j, match := range rule.matches {
		if t.match(i, j, match) {
			served++
		}
	}
	if served == 0 {
		t.unservable++
	}
}

// match translates one match of a rule for all hosts. It is false if Kong cannot express the match.
func (t *requestTranslation) match(i, j int, match route.Match) bool {
	where, rule := t.rules[i].part(i, j), t.rules[i]
	base := t.base
	base.Match = t.withAnnotations(match)
	if err := routing.CheckMatch(base.Match, t.reader.Limits()); err != nil {
		t.unserve(unit.At(where.Path), "%s: %v", where, err)
		return false
	}
	if len(t.attachment.bindings) == 0 {
		return true
	}
	f, err := filter.Of(rule.HTTPRouteRule, base.Match.Path, backendref.RuleField(i))
	if err == nil {
		if _, err = t.options.Relay.Need(rule.HTTPRouteRule, rule.needsRelay); err != nil {
			err = unit.WithFault(err, unit.FaultOf(err, "").Within(backendref.RuleField(i)))
		}
	}
	if err != nil {
		// Sending requests without the filter could be insecure.
		t.unserve(unit.FaultOf(err, where.Path), "%s: %v; its requests are answered 500", where, err)
		f = filter.Failing()
	}
	tags := t.userTags
	if rule.Name != nil {
		tags = slices.Concat([]string{"k8s-named-route-rule:" + string(*rule.Name)}, tags)
	}
	base.Tags = kong.Tags(t.object, t.kind.Kind, tags...)
	for _, b := range t.attachment.bindings {
		if t.allowance.Spent(where) {
			continue
		}
		if err == nil && f.Redirect == nil {
			base.Backend = t.use(i, b, &f)
			for _, err := range f.AddOwn(rule.HTTPRouteRule, base.Match.Path, backendref.RuleField(i)) {
				t.unserve(unit.FaultOf(err, where.Path), "%s: %v; the backend's requests are answered 500", where, err)
			}
		}
		r := base
		t.extend(&r, f.ForListener(b.kongPort, b.port, b.ports))
		if b.validated {
			r.Plugins = gateway.RequireClientCertificate(r.Plugins)
		}
		t.claim(r, b, i, j)
	}
	return true
}

// use sets the backends of a rule in its filters, and returns the name of the Kong service. It uses
// the first rule with the same backends.
func (t *requestTranslation) use(i int, b binding, f *filter.Set) string {
	if !t.rules[i].usesTLS {
		b.clientCertificate = types.NamespacedName{} // no backend would ask for it
	}
	if !t.kind.PerHost {
		i = slices.IndexFunc(t.rules, func(r requestRule) bool {
			return backendref.SameBackends(r.HTTPRouteRule, t.rules[i].HTTPRouteRule)
		})
	}
	backends := t.kind.Use(t.reader, t.key, i, b.host, b.clientCertificate)
	f.Shares, f.Total, f.Relay, f.HTTP2 = backends.Shares, backends.Total, backends.Relay, backends.HTTP2
	t.resolve(backendref.Resolution{Problem: backends.Unresolved})
	return backends.Service
}

// claim claims the match of a route in Kong for a binding.
func (t *requestTranslation) claim(r route.Route, b binding, i, j int) {
	r.Match.Host, r.Match.Deep, r.Match.NotHosts, r.Match.Port = b.host, true, b.not, int(b.kongPort)
	var ok bool
	if r.Protocols, r.Match.Scheme, ok = protocolsFor(b.schemes, t.base.Protocols); !ok {
		return
	}
	where := t.rules[i].part(i, j)
	r.Name = t.name(b, i, j)
	for _, part := range routing.SchemeParts(r) {
		t.claimPart(part.Route, b, kong.Part{Name: where.Name + part.Requests, Path: where.Path})
	}
}

func (t *requestTranslation) claimPart(r route.Route, b binding, where kong.Part) {
	r.Plugins, r.Refuse = t.allowance.Guard(r.Plugins, r.Refuse, where)
	ranking, err := kong.Ranked(r, t.reader.Limits())
	if err != nil {
		t.unserve(unit.At(where.Path), "%s: %v", where, err)
		return
	}
	if !t.allowance.Take(ranking.First, where) {
		return
	}
	under := t.hosts.Under(&t.fragment, b.host, field.Spec.Child("hostnames"))
	t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
		Slot: unit.Ranks.Slot(ranking.Rank), Object: t.key, Since: t.object.GetCreationTimestamp().Time,
		Entities: ranking.First, Ranked: ranking.At, Extent: ranking.Extent, Under: under,
		Lost: unit.Warning(t.key, condition.ReasonMatchConflict, where.Name+b.forHost()+" conflicts with another rule for the same host and path").At(where.Path),
	})
}

// name returns the name that the Kong Ingress Controller gives a route. If several bindings have the
// same host, the later ones get a suffix.
func (t *requestTranslation) name(b binding, i, j int) string {
	name := fmt.Sprintf("%s.%s.%s.%s.%d.%d", strings.ToLower(t.kind.Kind.Kind), t.key.Namespace, t.key.Name, hostname.InName(b.host), i, j) + t.suffix
	for t.namedRoute[name] {
		name += fmt.Sprintf(".%s-%d", strings.Join(b.schemes, "-"), b.port)
	}
	t.namedRoute[name] = true
	return name
}
