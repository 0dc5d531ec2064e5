package gatewayapi

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// httpRoute translates an HTTPRoute.
func (o Options) httpRoute(id unit.ID, r *unit.Reader) unit.Fragment {
	key := unit.Key{Kind: unit.HTTPRoute, Namespace: id.Namespace, Name: id.Name}
	object, ok := unit.Get[*gatewayv1.HTTPRoute](r, key)
	if !ok {
		return unit.Fragment{}
	}
	t := &httpTranslation{options: o, reader: r, route: object, key: key, attachment: attachment{
		reader: r, kind: "HTTPRoute", namespace: id.Namespace, hostnames: object.Spec.Hostnames}}
	t.attachment.attach(object.Spec.ParentRefs)
	if len(t.attachment.parents) > 0 {
		t.settings()
		for i := range object.Spec.Rules {
			t.rule(i, &object.Spec.Rules[i])
		}
	}
	t.finish()
	return t.fragment
}

// httpTranslation is the state of translating one HTTPRoute.
type httpTranslation struct {
	options    Options
	reader     *unit.Reader
	route      *gatewayv1.HTTPRoute
	key        unit.Key
	attachment attachment
	fragment   unit.Fragment

	base       route.Route // what all routes have in common
	attached   plugin.Attachment
	userTags   []string
	resolved   *reference // the first reference that is not
	unserved   []string   // why parts of the route are not served as they say
	matchless  int        // rules without any match that is served
	namedRoute map[string]bool
}

// settings reads the annotations. What they say of protocols is the listeners' to say.
func (t *httpTranslation) settings() {
	values := annotation.Of(t.route, t.key)
	t.base = values.Route(route.Route{PreserveHost: true, BufferRequest: true, BufferResponse: true, HTTPSRedirectStatus: 426})
	t.userTags = values.UserTags()
	t.namedRoute = map[string]bool{}
	read := []string{annotation.Plugins, annotation.Tags, annotation.StripPath, annotation.PreserveHost, annotation.RegexPriority,
		annotation.PathHandling, annotation.Methods, annotation.SNIs, annotation.RequestBuffering, annotation.ResponseBuffering,
		annotation.HeadersSeparator, annotation.Headers}
	t.attached = plugin.Attached(t.reader, t.route, t.key, httpRouteKind.GroupKind())
	t.fragment.Verdicts = slices.Concat(values.Verdicts, annotation.Ignored(t.route, t.key, read...), t.attached.Verdicts)
}

var httpRouteKind = gatewayv1.SchemeGroupVersion.WithKind("HTTPRoute")

// narrowed is a match with what annotations ask for besides.
func (t *httpTranslation) narrowed(m route.Match) route.Match {
	if len(m.Methods) == 0 {
		m.Methods = t.base.Match.Methods
	}
	m.SNIs = t.base.Match.SNIs
	m.Headers = append(m.Headers, t.base.Match.Headers...)
	return m
}

// extend adds the plugins that a rule names. One that is not there closes the rule.
func (t *httpTranslation) extend(r *route.Route, f filters) {
	all := t.attached
	for _, name := range f.extensions {
		all = all.With(plugin.Named(t.reader, t.key, httpRouteKind.GroupKind(), name))
	}
	r.Plugins, r.Refuse = slices.Concat(all.Plugins, f.plugins()), all.Refuse
	for _, v := range all.Verdicts {
		if !slices.Contains(t.fragment.Verdicts, v) {
			t.fragment.Verdicts = append(t.fragment.Verdicts, v)
		}
	}
}

// rule translates one rule for all hosts.
func (t *httpTranslation) rule(i int, rule *gatewayv1.HTTPRouteRule) {
	for _, ref := range rule.BackendRefs {
		if wrong := t.options.resolve(t.reader, t.key, ref.BackendRef).problem; wrong != nil && t.resolved == nil {
			t.resolved = wrong
		}
	}
	matches := rule.Matches
	if len(matches) == 0 {
		matches = []gatewayv1.HTTPRouteMatch{{}}
	}
	served := 0
	for j, match := range matches {
		if t.match(i, j, rule, match) {
			served++
		}
	}
	if served == 0 {
		t.matchless++
	}
}

// match translates one match of a rule for all hosts. It is false if Kong cannot be
// told what the match says.
func (t *httpTranslation) match(i, j int, rule *gatewayv1.HTTPRouteRule, match gatewayv1.HTTPRouteMatch) bool {
	where := fmt.Sprintf("rule %d match %d", i, j)
	base := t.base
	base.Match = t.narrowed(matchOf(match))
	if _, err := kong.Expression(base.Match); err != nil {
		t.unserve("%s: %v", where, err)
		return false
	}
	if len(t.attachment.bindings) == 0 {
		return true
	}
	f, err := filtersOf(rule, base.Match.Path)
	if err != nil {
		// Whoever asks for a filter may rely on it: nothing goes out without it.
		t.unserve("%s: %v; it answers 500", where, err)
		f = failing()
	} else if f.Redirect == nil {
		base.Backend = t.use(i, &f)
		for _, err := range f.own(rule, base.Match.Path) {
			t.unserve("%s: %v; its share is answered 500", where, err)
		}
	}
	t.extend(&base, f)
	tags := t.userTags
	if rule.Name != nil {
		tags = slices.Concat([]string{"k8s-named-route-rule:" + string(*rule.Name)}, tags)
	}
	base.Tags = kong.Tags(t.route, httpRouteKind, tags...)
	for _, b := range t.attachment.bindings {
		t.claim(base, b, i, j)
	}
	return true
}

// use has the rule's backends translated, those of the first rule with the same ones.
func (t *httpTranslation) use(i int, f *filters) string {
	rules := t.route.Spec.Rules
	for k := range i {
		if reflect.DeepEqual(rules[k].BackendRefs, rules[i].BackendRefs) && reflect.DeepEqual(rules[k].Timeouts, rules[i].Timeouts) {
			i = k
			break
		}
	}
	backends := useRule(t.reader, t.key, i)
	f.Shares, f.Total = backends.Shares, backends.Total
	return backends.Service
}

// claim asks for a place among the routes that may match the same requests.
func (t *httpTranslation) claim(r route.Route, b binding, i, j int) {
	r.Match.Host, r.Match.Deep, r.Match.NotHosts = b.host, true, b.not
	r.Protocols = b.schemes
	if len(b.schemes) == 1 && b.schemes[0] == "https" {
		r.Match.Scheme = "https" // or Kong would answer plain requests, asking for TLS
	}
	r.Name = t.name(b, i, j)
	slot, ranked, err := kong.Ranked(r)
	if err != nil {
		t.unserve("rule %d match %d: %v", i, j, err)
		return
	}
	t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
		Slot: slot, Object: t.key, Since: t.route.CreationTimestamp.Time, Ranked: ranked,
	})
}

// name is the Kong Ingress Controller's. The same host through listeners that leave
// others out has another one each.
func (t *httpTranslation) name(b binding, i, j int) string {
	host := strings.ReplaceAll(string(b.host), "*", "_")
	if host == "" {
		host = "_"
	}
	name := fmt.Sprintf("httproute.%s.%s.%s.%d.%d", t.key.Namespace, t.key.Name, host, i, j)
	for t.namedRoute[name] {
		name += "." + strings.Join(b.schemes, "-")
	}
	t.namedRoute[name] = true
	return name
}

func (t *httpTranslation) unserve(format string, args ...any) {
	t.unserved = append(t.unserved, fmt.Sprintf(format, args...))
}

// finish gives the route its status.
func (t *httpTranslation) finish() {
	status := &routeStatus{controller: t.options.Controller}
	t.fragment.Status = status
	rules := len(t.route.Spec.Rules)
	for _, p := range t.attachment.parents {
		accepted, resolved := p.accepted, routeResolvedRefs()
		if t.resolved != nil {
			resolved = routeUnresolvedRefs(t.resolved.reason, t.resolved.message)
		}
		if isTrue(accepted) && rules > 0 && t.matchless == rules {
			accepted = routeNotAccepted(gatewayv1.RouteReasonUnsupportedValue, strings.Join(t.unserved, "; "))
		}
		conditions := []metav1.Condition{accepted, resolved}
		if isTrue(accepted) {
			conditions = append(conditions, routeProgrammed())
			if len(t.unserved) > 0 {
				conditions = append(conditions, routePartiallyInvalid(strings.Join(t.unserved, "; ")))
			}
		}
		status.parents = append(status.parents, gatewayv1.RouteParentStatus{
			ParentRef: p.ref, ControllerName: gatewayv1.GatewayController(t.options.Controller),
			Conditions: observed(t.route.Generation, conditions...),
		})
	}
	if rules == 0 || t.matchless < rules {
		t.fragment.Attached = t.attachment.sections
	}
}
