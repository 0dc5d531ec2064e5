package routes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendref"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendtlspolicy"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gateway"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// streamRoles are the roles of the units of stream routes.
var streamRoles = map[unit.Kind]unit.Role[unit.None]{unit.TLSRoute: "tlsroute", unit.TCPRoute: "tcproute", unit.UDPRoute: "udproute"}

func (o Options) defineStreams(g *unit.Graph) {
	for kind, d := range backendref.StreamRoutes {
		plugin.DefineRoute(g, kind, isAttached)
		unit.Each(g, streamRoles[kind], kind, unit.Valueless(func(r *unit.Reader, key unit.Key, object unit.Object) unit.Fragment {
			return o.streamRoute(d, key, object, r)
		}))
	}
}

// streamTranslation is the state of translating one TLSRoute, TCPRoute or UDPRoute.
type streamTranslation struct {
	routeTranslation
	kind     backendref.StreamRoute
	tags     []string // of the annotation
	attached plugin.Attachment
	named    map[string]bool
}

func (o Options) streamRoute(d backendref.StreamRoute, key unit.Key, object unit.Object, r *unit.Reader) unit.Fragment {
	s, ok := backendref.StreamOf(object)
	if !ok {
		return unit.Fragment{}
	}
	t := &streamTranslation{kind: d, named: map[string]bool{},
		routeTranslation: o.translationOf(r, key, object, s.Common, s.Hostnames)}
	t.attach()
	if len(t.attachment.parents) > 0 {
		t.settings()
		for i, rule := range s.Rules {
			t.rule(i, rule)
		}
	}
	t.finish(false)
	return t.fragment
}

func (t *streamTranslation) settings() {
	values := annotation.Of(t.object, t.key)
	t.tags = values.UserTags()
	t.attached = plugin.Attached(t.reader, t.object, t.key).OfStreams(t.key)
	t.fragment.Verdicts = slices.Concat(values.Verdicts,
		annotation.Ignored(t.object, t.key, annotation.Plugins, annotation.Tags), t.attached.Verdicts)
}

// rule translates one rule for all bindings.
func (t *streamTranslation) rule(i int, rule backendref.StreamRule) {
	policy := ""
	for _, found := range t.kind.References(t.reader, t.key, i).Backends {
		t.resolve(found)
		if found.Problem == nil && t.kind.Purpose == backend.Connections {
			policy = cmp.Or(policy, backendtlspolicy.NameOf(t.reader, found.Endpoints))
		}
	}
	if len(t.attachment.bindings) == 0 {
		return
	}
	tags := t.tags
	if rule.Name != nil {
		tags = slices.Concat([]string{"k8s-named-route-rule:" + string(*rule.Name)}, tags)
	}
	backends := t.kind.Use(t.reader, t.key, i)
	t.resolve(backendref.Resolution{Problem: backends.Unresolved})
	t.refuse(t.attached)
	base := route.Stream{Backend: backends.Service, Refuse: t.attached.Refuse, Tags: kong.Tags(t.object, t.kind.Kind, tags...),
		Plugins: slices.Concat(t.attached.Plugins, backends.Plugins())}
	for _, b := range t.attachment.bindings {
		t.claim(t.withPolicy(base, b, i, policy), b, i)
	}
}

// withPolicy refuses connections whose TLS Kong terminates if a BackendTLSPolicy applies to the
// backend: Kong would send them on without TLS. It warns if the policy has no effect otherwise.
func (t *streamTranslation) withPolicy(s route.Stream, b binding, i int, policy string) route.Stream {
	switch {
	case policy == "" || slices.Contains(b.schemes, gateway.Passthrough):
	case slices.Contains(b.schemes, "tls"):
		t.unserve(unit.At(backendref.RuleField(i)), "rule %d: %s is not supported for connections whose TLS the gateway terminates; they are closed", i, policy)
		s.Refuse = policy + " is not supported here"
	default:
		t.warn(unit.At(backendref.RuleField(i)), "BackendTLSPolicyWithoutEffect", "rule %d: %s has no effect: connections are forwarded unchanged", i, policy)
	}
	return s
}

// claim claims the connections to a port, or to a host at a port for TLS. The oldest route gets them.
func (t *streamTranslation) claim(s route.Stream, b binding, i int) {
	s.Name, s.Protocols, s.Port, s.SNI, s.NotSNIs = t.name(b, i), b.schemes, int(b.kongPort), b.host, b.not
	where := kong.Part{Name: fmt.Sprintf("rule %d", i), Path: backendref.RuleField(i)}
	if t.allowance.Spent(where) {
		return
	}
	s.Plugins, s.Refuse = t.allowance.Guard(s.Plugins, s.Refuse, where)
	place, entities, err := kong.Stream(s, t.reader.Limits())
	if err != nil {
		t.unserve(unit.At(where.Path), "%s: %v", where, err)
		return
	}
	if !t.allowance.Take(entities, where) {
		return
	}
	lost := fmt.Sprintf("rule %d: an older route gets all traffic of port %d%s", i, b.port, b.forHost())
	t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
		Slot: unit.Streams.Slot(place), Object: t.key, Since: t.object.GetCreationTimestamp().Time, Entities: entities,
		Lost: unit.Warning(t.key, "RouteConflict", lost).At(where.Path),
	})
}

// name returns the name that the Kong Ingress Controller gives its one route for all ports and hosts.
// Here each port and host has a route; all but the first get a suffix.
func (t *streamTranslation) name(b binding, i int) string {
	name := fmt.Sprintf("%s.%s.%s.%d.0", strings.ToLower(t.kind.Kind.Kind), t.key.Namespace, t.key.Name, i) + t.suffix
	suffix := fmt.Sprintf(".%d", b.port)
	if b.host != "" {
		suffix = "." + hostname.InName(b.host) + suffix
	}
	for t.named[name] {
		name += suffix
	}
	t.named[name] = true
	return name
}
