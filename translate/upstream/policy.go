package upstream

import (
	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// The roles of the units.
const (
	PolicyRole  unit.Role[Policy] = "upstream-policy"
	IngressRole unit.Role[Policy] = "kong-ingress"
)

// Policy is what backends use of an object.
type Policy struct {
	// Balancing is nil if there is no such object.
	Balancing *route.Balancing
	// HostHeader is from a KongIngress; it may be empty.
	HostHeader string
	unit.Unavailable
}

// reasonInvalid is the reason of verdicts on a policy's fields without effect.
const reasonInvalid = "UpstreamPolicyInvalid"

// Define adds the units to a graph. The controller is named in statuses.
func Define(g *unit.Graph, controller string) {
	failed := func(key unit.Key) Policy { return Policy{Unavailable: unit.Failed(key)} }
	unit.Each(g, PolicyRole, unit.KongUpstreamPolicy, func(_ *unit.Reader, key unit.Key, object *configurationv1beta1.KongUpstreamPolicy) (unit.Fragment, Policy) {
		return policy(controller, key, object)
	}).OnMissing(notFound("UpstreamPolicyNotFound")).OnPanic(failed)
	unit.Each(g, IngressRole, unit.KongIngress, kongIngress).OnMissing(notFound("KongIngressNotFound")).OnPanic(failed)
}

func notFound(reason string) func(unit.Key) Policy {
	return func(key unit.Key) Policy { return Policy{Unavailable: unit.NotFound(reason, key)} }
}

func policy(controller string, key unit.Key, object *configurationv1beta1.KongUpstreamPolicy) (unit.Fragment, Policy) {
	declared, c := object.Spec, &checker{key: key, reason: reasonInvalid}
	b := &route.Balancing{
		Algorithm:    text(declared.Algorithm),
		Slots:        declared.Slots,
		HashOn:       hashOf(c, spec.Child("hashOn"), declared.HashOn),
		HashFallback: hashOf(c, spec.Child("hashOnFallback"), declared.HashOnFallback),
		Health:       healthOf(declared.Healthchecks),
	}
	sticky(c, declared.StickySessions, b)
	c.balancing(place{name: "spec", path: spec}, b)
	return unit.Fragment{
		Verdicts: append(c.verdicts, annotation.Ignored(object, key)...),
		Status:   policyStatus{controller: controller, wrong: wrongOf(c.verdicts)},
	}, Policy{Balancing: b}
}

var spec = field.NewPath("spec")

// sticky replaces sticky sessions, which Kong's open source edition lacks, with hashing the cookie:
// a client stays at its endpoint as long as the endpoints do not change.
func sticky(c *checker, s *configurationv1beta1.KongUpstreamStickySessions, b *route.Balancing) {
	switch {
	case s == nil:
	case b.Algorithm != stickySessions:
		c.refuse(spec.Child("stickySessions"), "spec.stickySessions only has an effect with the algorithm %s", stickySessions)
	default:
		c.refuse(spec.Child("algorithm"), "spec.algorithm: Kong 3.9 does not support %s; %s by the cookie %q replaces it, so a client may move when endpoints are added or removed",
			stickySessions, hashing, s.Cookie)
		b.Algorithm, b.HashFallback = hashing, route.Hash{}
		b.HashOn = route.Hash{On: "cookie", Name: s.Cookie, CookiePath: text(s.CookiePath)}
	}
}

func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

// none is the input that hashes nothing.
const none = "none"

// hashOf returns the hash input. Of several inputs, the first is used.
func hashOf(c *checker, where field.Path, h *configurationv1beta1.KongUpstreamHash) route.Hash {
	if h == nil {
		return route.Hash{}
	}
	var inputs []route.Hash
	if h.Input != nil && *h.Input == none {
		return route.Hash{}
	}
	if h.Input != nil {
		inputs = append(inputs, route.Hash{On: string(*h.Input)})
	}
	for _, named := range []struct {
		on   string
		name *string
	}{
		{"header", h.Header}, {"cookie", h.Cookie}, {"query_arg", h.QueryArg}, {"uri_capture", h.URICapture},
	} {
		if named.name != nil {
			inputs = append(inputs, route.Hash{On: named.on, Name: *named.name})
		}
	}
	if len(inputs) == 0 {
		c.refuse(where, "%s names nothing to hash; set one of input, header, cookie, queryArg and uriCapture", where)
		return route.Hash{}
	}
	if len(inputs) > 1 {
		c.refuse(where, "%s names several things to hash, and only %s is used", where, inputs[0].On)
	}
	if inputs[0].On == "cookie" {
		inputs[0].CookiePath = text(h.CookiePath)
	}
	return inputs[0]
}

func healthOf(h *configurationv1beta1.KongUpstreamHealthcheck) *route.Health {
	if h == nil {
		return nil
	}
	health := &route.Health{}
	if h.Threshold != nil {
		threshold := float64(*h.Threshold)
		health.Threshold = &threshold
	}
	if a := h.Active; a != nil {
		health.Active = &route.Check{
			Type: text(a.Type), Concurrency: a.Concurrency, Timeout: a.Timeout,
			Path: text(a.HTTPPath), SNI: text(a.HTTPSSNI), VerifyCertificate: a.HTTPSVerifyCertificate,
			Headers: a.Headers, Healthy: healthyOf(a.Healthy), Unhealthy: unhealthyOf(a.Unhealthy),
		}
	}
	if p := h.Passive; p != nil {
		health.Passive = &route.Check{Type: text(p.Type), Healthy: healthyOf(p.Healthy), Unhealthy: unhealthyOf(p.Unhealthy)}
	}
	return health
}

func healthyOf(h *configurationv1beta1.KongUpstreamHealthcheckHealthy) *route.Outcome {
	if h == nil {
		return nil
	}
	return &route.Outcome{Interval: h.Interval, Statuses: statuses(h.HTTPStatuses), Successes: h.Successes}
}

func unhealthyOf(h *configurationv1beta1.KongUpstreamHealthcheckUnhealthy) *route.Outcome {
	if h == nil {
		return nil
	}
	return &route.Outcome{
		Interval: h.Interval, Statuses: statuses(h.HTTPStatuses),
		HTTPFailures: h.HTTPFailures, TCPFailures: h.TCPFailures, Timeouts: h.Timeouts,
	}
}

func statuses(list []configurationv1beta1.HTTPStatus) []int {
	var numbers []int
	for _, s := range list {
		numbers = append(numbers, int(s))
	}
	return numbers
}
