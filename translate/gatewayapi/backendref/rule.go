package backendref

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/filter"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/name"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// RuleBackends is the value of a rule's unit: what its requests are sent to.
type RuleBackends struct {
	// Service is the Kong service's name; empty if there is nothing to send to.
	Service string
	// Shares are the backends, out of Total, that are not reached by the service alone:
	// those that cannot answer, and all if they have filters of their own.
	Shares []filter.Share
	Total  int
	// Relay is how requests name the rule to the relay; empty if Kong sends them itself.
	Relay string
	// HTTP2 is how Kong sends requests on that may have no body.
	HTTP2 bool

	// Unresolved is why a backend that is there is none to Kong; nil if all are.
	Unresolved *Problem
}

// Use returns the backends of a route's rule, for a host where services are named by it, and
// for the client certificate that is sent to them if there is one.
func (d RequestRoute) Use(r *unit.Reader, key unit.Key, rule int, host route.Host, clientCertificate types.NamespacedName) RuleBackends {
	of := ruleOfHost{rule: rule, clientCertificate: clientCertificate}
	if d.PerHost {
		of.host = hostname.InName(host)
	}
	return unit.Use(r, d.rule.Of(key.Namespace, key.Name, of))
}

// closed is a rule all of whose requests get an error.
func (d RequestRoute) closed() RuleBackends {
	return RuleBackends{Shares: filter.NoBackend(d.broken), Total: 1}
}

// ruleIndex is the place of a rule in its route.
type ruleIndex int

func (i ruleIndex) String() string { return strconv.Itoa(int(i)) }

// ruleOfHost tells the units of the rules of a route apart.
type ruleOfHost struct {
	rule int
	// host is as names of Kong's entities have it; empty where these are not named by the host.
	host string
	// clientCertificate is the Secret with the key pair for the backends; empty for none.
	clientCertificate types.NamespacedName
}

func (u ruleOfHost) String() string { return u.joined("~") }

// joined returns the form that names have, with a separator that no name of Kubernetes has.
func (u ruleOfHost) joined(separator string) string {
	s := strconv.Itoa(u.rule)
	if u.host != "" {
		s = u.host + "." + s
	}
	if u.clientCertificate.Name != "" {
		s += separator + u.clientCertificate.Namespace + separator + u.clientCertificate.Name
	}
	return s
}

// ruleTranslation is the state of translating what one rule sends requests to.
type ruleTranslation struct {
	options           Options
	reader            *unit.Reader
	key               unit.Key   // of the route
	of                ruleOfHost // of a stream's rule it is empty
	at                field.Path // of the rule
	dialect           RequestRoute
	rule              *gatewayv1.HTTPRouteRule
	refs              *References
	purpose           backend.For
	shares            []share
	found             RuleBackends
	clientCertificate certificate.Pair // for backends over TLS, as the relay has it
	refuse            string           // why nobody is to reach the backends; empty if there is no reason
	fragment          unit.Fragment
}

// rule translates what one rule of a route sends requests to.
func (o Options) rule(d RequestRoute, key unit.Key, of ruleOfHost, r *unit.Reader) (unit.Fragment, RuleBackends) {
	object := r.Get(key)
	rule := ruleOf(object, of.rule)
	refs := unit.Use(r, d.references.Of(key.Namespace, key.Name, ruleIndex(of.rule)))
	if refs == nil {
		return unit.Fragment{}, d.closed()
	}
	relay, err := o.Relay.Need(rule, HasPolicy(refs.Backends) || of.clientCertificate.Name != "" && NeedsRelayForCertificate(refs.Backends))
	if err != nil {
		return unit.Fragment{}, d.closed() // the route says why
	}
	t := &ruleTranslation{options: o, reader: r, key: key, of: of, at: RuleField(of.rule), dialect: d, rule: rule, refs: refs, shares: sharesOf(backendRefs(rule), refs.Backends)}
	t.settings()
	if relay != nil {
		t.relayable()
	}
	t.translate(object, relay)
	return t.fragment, t.found
}

// translate finds what requests are sent to, by way of the relay if there is to be one.
func (t *ruleTranslation) translate(object unit.Object, relay *route.Relay) {
	all := t.agree()
	unresolved := t.found.Unresolved
	t.found = failures(t.shares, t.dialect.broken)
	t.found.Unresolved = unresolved
	if t.found.Total > 0 && len(t.found.Shares) == 1 && t.found.Shares[0].Weight == t.found.Total {
		return
	}
	b := t.backend(object, all)
	t.presentCertificate(relay != nil, &b)
	t.found.HTTP2 = isHTTP2(b.Protocol) && !isHTTP2(t.dialect.protocol)
	switch {
	case relay != nil:
		relay.Session = named(relay.Session, object, b.Name)
		t.fragment.Entities = t.relayed(relay, b)
	case separate(t.rule) || !balanced(t.shares):
		t.found.Shares, t.found.Total, t.fragment.Entities = separated(b, t.shares, t.dialect.broken)
	default:
		b.Targets = weighted(t.shares)
		t.fragment.Entities = kong.Backend(b)
	}
}

// backend is how Kong speaks to a rule's backends, without their endpoints.
func (t *ruleTranslation) backend(object unit.Object, all serviceSettings) route.Backend {
	t.found.Service = fmt.Sprintf("%s.%s.%s.%s", strings.ToLower(t.dialect.Kind.Kind), t.key.Namespace, t.key.Name, t.of.joined("_")) + name.Suffix(t.reader, t.key)
	b := route.Backend{
		Name: t.found.Service, Host: t.found.Service, Protocol: agreed(t.shares, t.dialect.protocol), Port: 80,
		Transport: all.transport, Balancing: all.balancing, HostHeader: all.hostHeader, Plugins: all.plugins, Refuse: t.refuse,
		Tags: kong.Tags(object, t.dialect.Kind, all.tags...),
	}
	if len(t.shares) == 1 {
		b.Tags = kong.Tags(t.shares[0].service, serviceKind, all.tags...)
	}
	if err := setTimeouts(&b, t.rule.Timeouts); err != nil {
		t.warn(unit.FaultOf(err, "").Within(t.at), "UnsupportedValue", "rule %s: %v", t.of, err)
	}
	if isHTTP2(b.Protocol) && annotation.Of(object, t.key).Bool(annotation.StripPath, false) {
		t.warn(unit.At(annotation.Field(annotation.StripPath)), "AnnotationWithoutEffect", "rule %s: annotation %s%s has no effect on requests that are sent by HTTP/2; a URLRewrite has",
			t.of, annotation.Prefix, annotation.StripPath)
	}
	return b
}

func (t *ruleTranslation) warn(f unit.Fault, reason, format string, args ...any) {
	t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(t.key, reason, fmt.Sprintf(format, args...)).With(f))
}

// maxShare is the most that an API server takes for the weight of a backend.
const maxShare = 1000000

// sharesOf are the parts of the backends that references stand for. Nothing is sent to one
// whose policy is not valid.
func sharesOf(refs []gatewayv1.BackendRef, all []Resolution) []share {
	shares := make([]share, len(refs))
	for i, found := range all {
		shares[i] = share{at: found.At, weight: min(max(int(ptr.Deref(refs[i].Weight, 1)), 0), maxShare)}
		if found.Problem != nil || found.Policy != nil && found.Policy.TLS == nil {
			shares[i].broken = true
			continue
		}
		shares[i].targets, shares[i].service, shares[i].protocol = found.Endpoints.Targets, found.Endpoints.Service, found.protocol
		if found.Policy != nil {
			shares[i].tls = found.Policy.TLS
		}
	}
	return shares
}

var serviceKind = corev1.SchemeGroupVersion.WithKind("Service")

func (s *share) name() string { return "Service " + s.service.Namespace + "/" + s.service.Name }

// share is one backend's part of the requests.
type share struct {
	at      field.Path // of the reference
	weight  int
	broken  bool // there is no such backend
	service *corev1.Service
	targets []route.Target
	// protocol is the same for all that are not broken and have a weight, but for TLS by way
	// of the relay.
	protocol string
	// tls is nil if no policy says how to connect to the backend.
	tls *route.BackendTLS
	serviceSettings
}

// live are the targets that take new requests.
func (s share) live() int {
	n := 0
	for _, t := range s.targets {
		if t.Weight > 0 {
			n++
		}
	}
	return n
}
