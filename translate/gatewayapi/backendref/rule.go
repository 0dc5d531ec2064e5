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
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/filter"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/name"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// RuleBackends is the value of a rule's unit: the backends of its requests.
type RuleBackends struct {
	// Service is the name of the Kong service; empty if no backend is available.
	Service string
	// Shares are the backends that requests do not reach through the service alone: those that
	// cannot answer, and all if they have filters of their own. Total is the sum of all weights.
	Shares []filter.Share
	Total  int
	// Relay is the key of the rule at the relay; empty if Kong sends the requests itself.
	Relay string
	// HTTP2 is whether Kong sends the requests over HTTP/2.
	HTTP2 bool

	// Unresolved is the first problem with a Service that exists; nil if there is none.
	Unresolved *Problem
}

// Use returns the backends of a route's rule for a host and a client certificate, which may be
// empty. The host matters if services are named after it.
func (d RequestRoute) Use(r *unit.Reader, key unit.Key, rule int, host route.Host, clientCertificate types.NamespacedName) RuleBackends {
	of := ruleOfHost{rule: rule, clientCertificate: clientCertificate}
	if d.PerHost {
		of.host = hostname.InName(host)
	}
	return unit.Use(r, d.rule.Of(key.Namespace, key.Name, of))
}

// failing returns the backends of a rule whose requests all get an error.
func (d RequestRoute) failing() RuleBackends {
	return RuleBackends{Shares: filter.NoBackend(d.broken), Total: 1}
}

// ruleIndex is the index of a rule in its route.
type ruleIndex int

func (i ruleIndex) String() string { return strconv.Itoa(int(i)) }

// ruleOfHost identifies one of the units of a route's rules.
type ruleOfHost struct {
	rule int
	// host has the form of [hostname.InName]; empty if services are not named after the host.
	host string
	// clientCertificate is the Secret with the key pair for the backends; empty for none.
	clientCertificate types.NamespacedName
}

func (u ruleOfHost) String() string { return u.joined("~") }

// joined returns the parts in one string. Names in Kubernetes do not contain the separator.
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

// ruleTranslation is the state of translating the backends of one rule.
type ruleTranslation struct {
	options           Options
	reader            *unit.Reader
	key               unit.Key   // of the route
	of                ruleOfHost // empty for stream routes
	at                field.Path // of the rule
	kind              RequestRoute
	rule              *gatewayv1.HTTPRouteRule
	refs              *References
	purpose           backend.Purpose
	shares            []share
	found             RuleBackends
	clientCertificate certificate.Pair // which the relay presents to backends over TLS
	refuse            string           // why all requests are refused; empty if they are not
	fragment          unit.Fragment
}

// rule translates the backends of one rule.
func (o Options) rule(d RequestRoute, key unit.Key, of ruleOfHost, r *unit.Reader) (unit.Fragment, RuleBackends) {
	object := r.Get(key)
	rule := ruleOf(object, of.rule)
	refs := unit.Use(r, d.references.Of(key.Namespace, key.Name, ruleIndex(of.rule)))
	if refs == nil {
		return unit.Fragment{}, d.failing()
	}
	relay, err := o.Relay.Need(rule, HasPolicy(refs.Backends) || of.clientCertificate.Name != "" && NeedsRelayForCertificate(refs.Backends))
	if err != nil {
		return unit.Fragment{}, d.failing() // the route's status says why
	}
	t := &ruleTranslation{options: o, reader: r, key: key, of: of, at: RuleField(of.rule), kind: d, rule: rule, refs: refs, shares: sharesOf(backendRefs(rule), refs.Backends)}
	t.settings()
	if relay != nil {
		t.checkForRelay()
	}
	t.translate(object, relay)
	return t.fragment, t.found
}

// translate makes the entities of the backends, through the relay unless that is nil.
func (t *ruleTranslation) translate(object unit.Object, relay *route.Relay) {
	all := t.commonSettings()
	unresolved := t.found.Unresolved
	t.found = failures(t.shares, t.kind.broken)
	t.found.Unresolved = unresolved
	if t.found.Total > 0 && len(t.found.Shares) == 1 && t.found.Shares[0].Weight == t.found.Total {
		return
	}
	b := t.backend(object, all)
	t.presentCertificate(relay != nil, &b)
	t.found.HTTP2 = isHTTP2(b.Protocol) && !isHTTP2(t.kind.protocol)
	switch {
	case relay != nil:
		relay.Session = withNameAndSalt(relay.Session, object, b.Name)
		t.fragment.Entities = t.throughRelay(relay, b)
	case hasBackendFilters(t.rule) || !sameBalancing(t.shares):
		t.found.Shares, t.found.Total, t.fragment.Entities = upstreamPerBackend(b, t.shares, t.kind.broken)
	default:
		b.Targets = weighted(t.shares)
		t.fragment.Entities = kong.Backend(b)
	}
}

// backend returns the Kong service of a rule, without endpoints.
func (t *ruleTranslation) backend(object unit.Object, all serviceSettings) route.Backend {
	t.found.Service = fmt.Sprintf("%s.%s.%s.%s", strings.ToLower(t.kind.Kind.Kind), t.key.Namespace, t.key.Name, t.of.joined("_")) + name.Suffix(t.reader, t.key)
	b := route.Backend{
		Name: t.found.Service, Host: t.found.Service, Protocol: commonProtocol(t.shares, t.kind.protocol), Port: 80,
		Transport: all.transport, Balancing: all.balancing, HostHeader: all.hostHeader, Plugins: all.plugins, Refuse: t.refuse,
		Tags: kong.Tags(object, t.kind.Kind, all.tags...),
	}
	if len(t.shares) == 1 {
		b.Tags = kong.Tags(t.shares[0].service, serviceKind, all.tags...)
	}
	if err := setTimeouts(&b, t.rule.Timeouts); err != nil {
		t.warn(unit.FaultOf(err, "").Within(t.at), condition.ReasonUnsupportedValue, "rule %s: %v", t.of, err)
	}
	if isHTTP2(b.Protocol) && annotation.Of(object, t.key).Bool(annotation.StripPath, false) {
		t.warn(unit.At(annotation.Field(annotation.StripPath)), condition.ReasonAnnotationWithoutEffect, "rule %s: annotation %s%s has no effect on requests that Kong sends over HTTP/2; use a URLRewrite filter",
			t.of, annotation.Prefix, annotation.StripPath)
	}
	return b
}

func (t *ruleTranslation) warn(f unit.Fault, reason, format string, args ...any) {
	t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(t.key, reason, fmt.Sprintf(format, args...)).With(f))
}

// maxShare is the largest weight of a backend in Gateway API.
const maxShare = 1000000

// sharesOf returns the shares of the resolved references. A backend whose policy is invalid gets no
// requests.
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
	broken  bool // the backend is unavailable
	service *corev1.Service
	targets []route.Target
	// protocol is the same for all available backends with a weight. Only the relay can use TLS
	// for some of them.
	protocol string
	// tls is nil if no BackendTLSPolicy takes effect.
	tls *route.BackendTLS
	serviceSettings
}

// live returns the number of targets that take new requests.
func (s share) live() int {
	n := 0
	for _, t := range s.targets {
		if t.Weight > 0 {
			n++
		}
	}
	return n
}
