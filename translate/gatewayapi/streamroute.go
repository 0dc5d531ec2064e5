package gatewayapi

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// streamDialect is what tells routes of connections and datagrams apart.
type streamDialect struct {
	kind schema.GroupVersionKind
	// role is that of the units of routes, rule that of rules.
	role    unit.Role[unit.None]
	rule    unit.RoleBy[ruleIndex, streamShares]
	purpose backend.For
	// backends is the role of the units of the references of rules.
	backends unit.RoleBy[ruleIndex, *references]
	// protocol is that of Kong's services.
	protocol string
}

// streamRoutes are the kinds of routes of connections and datagrams.
var streamRoutes = map[unit.Kind]streamDialect{
	unit.TLSRoute: {kind: gatewayv1.SchemeGroupVersion.WithKind("TLSRoute"), role: "tlsroute", rule: "tlsroute-rule", backends: "tlsroute-backends", purpose: backend.Connections, protocol: "tcp"},
	unit.TCPRoute: {kind: gatewayv1.SchemeGroupVersion.WithKind("TCPRoute"), role: "tcproute", rule: "tcproute-rule", backends: "tcproute-backends", purpose: backend.Connections, protocol: "tcp"},
	unit.UDPRoute: {kind: gatewayv1.SchemeGroupVersion.WithKind("UDPRoute"), role: "udproute", rule: "udproute-rule", backends: "udproute-backends", purpose: backend.Datagrams, protocol: "udp"},
}

func (o Options) defineStreams(g *unit.Graph) {
	for kind, d := range streamRoutes {
		plugin.DefineRoute(g, kind, isAttached)
		unit.Each(g, d.role, kind, unit.Valueless(func(r *unit.Reader, key unit.Key, object unit.Object) unit.Fragment {
			return o.streamRoute(d, key, object, r)
		}))
		unit.SharedBy(g, d.rule, kind, func(r *unit.Reader, key unit.Key, rule ruleIndex) (unit.Fragment, streamShares) {
			return o.streamRule(d, key, int(rule), r)
		})
		unit.SharedBy(g, d.backends, kind, func(r *unit.Reader, key unit.Key, rule ruleIndex) (unit.Fragment, *references) {
			return o.streamReferences(key, int(rule), r)
		})
	}
}

// stream is a route of any of the kinds.
type stream struct {
	common    gatewayv1.CommonRouteSpec
	hostnames []gatewayv1.Hostname // of a TLSRoute alone
	rules     []streamRule
}

type streamRule struct {
	name     *gatewayv1.SectionName
	backends []gatewayv1.BackendRef
}

// streamOf reads a route; it is false for an object that is none.
func streamOf(object unit.Object) (s stream, ok bool) {
	switch object := object.(type) {
	case *gatewayv1.TLSRoute:
		s.common, s.hostnames = object.Spec.CommonRouteSpec, object.Spec.Hostnames
		for _, rule := range object.Spec.Rules {
			s.rules = append(s.rules, streamRule{rule.Name, rule.BackendRefs})
		}
	case *gatewayv1.TCPRoute:
		s.common = object.Spec.CommonRouteSpec
		for _, rule := range object.Spec.Rules {
			s.rules = append(s.rules, streamRule{rule.Name, rule.BackendRefs})
		}
	case *gatewayv1.UDPRoute:
		s.common = object.Spec.CommonRouteSpec
		for _, rule := range object.Spec.Rules {
			s.rules = append(s.rules, streamRule{rule.Name, rule.BackendRefs})
		}
	default:
		return s, false
	}
	return s, true
}

// streamTranslation is the state of translating one TLSRoute, TCPRoute or UDPRoute.
type streamTranslation struct {
	routeTranslation
	dialect  streamDialect
	tags     []string // the user's
	attached plugin.Attachment
	named    map[string]bool
}

func (o Options) streamRoute(d streamDialect, key unit.Key, object unit.Object, r *unit.Reader) unit.Fragment {
	s, ok := streamOf(object)
	if !ok {
		return unit.Fragment{}
	}
	t := &streamTranslation{dialect: d, named: map[string]bool{},
		routeTranslation: o.translationOf(r, key, object, s.common, s.hostnames)}
	t.attach()
	if len(t.attachment.parents) > 0 {
		t.settings()
		for i, rule := range s.rules {
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

// rule claims the rule's place at each listener, for each host.
func (t *streamTranslation) rule(i int, rule streamRule) {
	policy := ""
	for _, found := range useSummary(t.reader, t.dialect.backends, t.key, i).backends {
		t.resolve(found)
		if found.problem == nil && t.dialect.purpose == backend.Connections {
			policy = cmp.Or(policy, policyOf(t.reader, found.endpoints))
		}
	}
	if len(t.attachment.bindings) == 0 {
		return
	}
	tags := t.tags
	if rule.name != nil {
		tags = slices.Concat([]string{"k8s-named-route-rule:" + string(*rule.name)}, tags)
	}
	backends := t.dialect.use(t.reader, t.key, i)
	t.resolve(resolution{problem: backends.unresolved})
	t.refuse(t.attached)
	base := route.Stream{Backend: backends.Service, Refuse: t.attached.Refuse, Tags: kong.Tags(t.object, t.dialect.kind, tags...),
		Plugins: slices.Concat(t.attached.Plugins, backends.plugins())}
	for _, b := range t.attachment.bindings {
		t.claim(t.unsecured(base, b, i, policy), b, i)
	}
}

// unsecured closes connections whose TLS ends at Kong and that would go on without, although
// a policy has their backend spoken to over TLS.
func (t *streamTranslation) unsecured(s route.Stream, b binding, i int, policy string) route.Stream {
	switch {
	case policy == "" || slices.Contains(b.schemes, passthrough):
	case slices.Contains(b.schemes, "tls"):
		t.unserve(unit.At(ruleField(i)), "rule %d: %s is not supported for connections whose TLS ends at the gateway; they are closed", i, policy)
		s.Refuse = policy + " is not supported here"
	default:
		t.warn(unit.At(ruleField(i)), "BackendTLSPolicyWithoutEffect", "rule %d: %s has no effect: connections are sent on as they come", i, policy)
	}
	return s
}

// claim asks for the connections to a port, of TLS for those to a host. Whoever is older
// gets all of them.
func (t *streamTranslation) claim(s route.Stream, b binding, i int) {
	s.Name, s.Protocols, s.Port, s.SNI, s.NotSNIs = t.name(b, i), b.schemes, int(b.kongPort), b.host, b.not
	where := kong.Part{Name: fmt.Sprintf("rule %d", i), Path: ruleField(i)}
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
	lost := fmt.Sprintf("rule %d: what comes to port %d is another route's", i, b.port)
	if b.host != "" {
		lost = fmt.Sprintf("rule %d: what comes to port %d for %s is another route's", i, b.port, b.host)
	}
	t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
		Slot: unit.Streams.Slot(place), Object: t.key, Since: t.object.GetCreationTimestamp().Time, Entities: entities,
		Lost: unit.Warning(t.key, "RouteConflict", lost).At(where.Path),
	})
}

// name is the Kong Ingress Controller's, which has one route for all ports and hosts. Here
// each has one, and all but the first say what they are for.
func (t *streamTranslation) name(b binding, i int) string {
	name := fmt.Sprintf("%s.%s.%s.%d.0", strings.ToLower(t.dialect.kind.Kind), t.key.Namespace, t.key.Name, i) + t.suffix
	suffix := fmt.Sprintf(".%d", b.port)
	if b.host != "" {
		suffix = "." + nameOf(b.host) + suffix
	}
	for t.named[name] {
		name += suffix
	}
	t.named[name] = true
	return name
}
