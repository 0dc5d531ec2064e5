package ingress

import (
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/consumer"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/hosts"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/name"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/routing"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Role is the role of Ingress units.
const Role unit.Role[unit.None] = "ingress"

// Define adds the units of Ingresses of a class to a graph.
func Define(g *unit.Graph, ingressClass string, lastResort certificate.LastResort, isolated bool) {
	unit.Each(g, Role, unit.Ingress, unit.Valueless(func(r *unit.Reader, key unit.Key, ingress *networkingv1.Ingress) unit.Fragment {
		if !class.OursIngress(r, ingress, ingressClass) {
			return unit.Fragment{Verdicts: class.MissingIngress(ingress, key, ingressClass)}
		}
		t := &translation{reader: r, ingress: ingress, key: key, suffix: name.Suffix(r, key), parameters: class.Use(r, ingressClass),
			allowance: kong.NewAllowance(r.Limits()), lastResort: lastResort, owned: hosts.Of(ingress, key, isolated)}
		t.settings()
		t.rules()
		t.defaultBackend()
		t.certificates()
		t.fragment.Verdicts = slices.Concat(t.tooLarge(), t.values.Verdicts, t.fragment.Verdicts, annotation.Foreign(ingress, key))
		return t.fragment
	}))
}

// translation is the state of translating one Ingress.
type translation struct {
	reader   *unit.Reader
	ingress  *networkingv1.Ingress
	key      unit.Key
	fragment unit.Fragment

	suffix      string // of the names of the routes
	parameters  class.Parameters
	lastResort  certificate.LastResort
	owned       hosts.Claims
	base        route.Route // what all its routes have in common
	aliases     []route.Host
	rewriting   *annotation.Rewriting
	values      *annotation.Values
	allowance   *kong.Allowance
	regexPrefix string // marks an ImplementationSpecific path as a regular expression
	named       map[string]bool
}

// settings reads the annotations.
func (t *translation) settings() {
	values := annotation.Of(t.ingress, t.key)
	t.values = values
	t.base = values.Route(route.Route{
		Protocols:           []string{"http", "https"},
		PreserveHost:        true,
		BufferRequest:       true,
		BufferResponse:      true,
		HTTPSRedirectStatus: 426,
		Tags: kong.Tags(t.ingress, networkingv1.SchemeGroupVersion.WithKind("Ingress"),
			append(values.UserTags(), consumer.RouteTags(t.reader, t.key)...)...),
	})
	t.aliases = values.HostAliases()
	t.rewriting = values.RewriteURI()
	t.regexPrefix = values.Text(annotation.RegexPrefix, "/~")
	t.named = map[string]bool{}
	t.fragment.Verdicts = annotation.Ignored(t.ingress, t.key, slices.Concat(annotation.RouteNames,
		[]string{annotation.Plugins, annotation.HostAliases, annotation.Rewrite, annotation.RegexPrefix})...)
	attached := plugin.Attached(t.reader, t.ingress, t.key)
	t.base.Plugins, t.base.Refuse = attached.Plugins, attached.Refuse
	t.fragment.Verdicts = append(t.fragment.Verdicts, attached.Verdicts...)
}

// tooLarge returns verdicts on the parts that exceed the limits of an object. They come first,
// because only the first verdicts are reported.
func (t *translation) tooLarge() (verdicts []unit.Verdict) {
	for _, problem := range t.allowance.Problems() {
		verdicts = append(verdicts, unit.Warning(t.key, condition.ReasonObjectTooLarge, problem.Message).At(problem.Path))
	}
	return verdicts
}

func (t *translation) warn(at field.Path, reason, format string, args ...any) {
	t.fault(unit.At(at), reason, format, args...)
}

func (t *translation) fault(f unit.Fault, reason, format string, args ...any) {
	t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(t.key, reason, fmt.Sprintf(format, args...)).With(f))
}

var spec = field.NewPath("spec")

// add claims the match of a route for the Ingress.
func (t *translation) add(r route.Route, where kong.Part) {
	for _, part := range routing.SchemeParts(r) {
		t.claim(part.Route, kong.Part{Name: where.Name + part.Requests, Path: where.Path})
	}
}

func (t *translation) claim(r route.Route, where kong.Part) {
	r.Plugins, r.Refuse = t.allowance.Guard(r.Plugins, r.Refuse, where)
	ranking, err := kong.Ranked(r, t.reader.Limits())
	if err != nil {
		t.warn(where.Path, "MatchInvalid", "%s: %v", where, err)
		return
	}
	if !t.allowance.Take(ranking.First, where) {
		return
	}
	under := t.owned.Under(&t.fragment, r.Match.Host, where.Path)
	t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
		Slot:     unit.Ranks.Slot(ranking.Rank),
		Object:   t.key,
		Since:    t.ingress.CreationTimestamp.Time,
		Entities: ranking.First,
		Ranked:   ranking.At,
		Extent:   ranking.Extent,
		Under:    under,
		Lost:     unit.Warning(t.key, condition.ReasonMatchConflict, where.Name+" conflicts with another rule for the same host and path").At(where.Path),
	})
}
