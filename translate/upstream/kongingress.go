package upstream

import (
	gokong "github.com/kong/go-kong/kong"
	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// kongIngress translates the field upstream, the only one that the Kong Ingress Controller reads
// since version 3.
func kongIngress(_ *unit.Reader, key unit.Key, object *configurationv1.KongIngress) (unit.Fragment, Policy) {
	c := &checker{key: key, reason: "KongIngressInvalid"}
	if object.Proxy != nil {
		c.warn(field.NewPath("proxy"), "FieldIgnored", "proxy has no effect; use the annotations konghq.com/protocol, path, retries and *-timeout of the Service")
	}
	if object.Route != nil {
		c.warn(field.NewPath("route"), "FieldIgnored", "route has no effect; use the konghq.com annotations of the Ingress")
	}
	if object.Upstream == nil {
		return unit.Fragment{Verdicts: c.verdicts}, Policy{Balancing: &route.Balancing{}}
	}
	c.warn("", "Deprecated", "KongIngress is deprecated; use a KongUpstreamPolicy and the annotations konghq.com/upstream-policy and konghq.com/host-header of the Service")
	u := object.Upstream
	b := &route.Balancing{
		Algorithm: text(u.Algorithm),
		Slots:     u.Slots,
		HashOn:    hash(u.HashOn, u.HashOnHeader, u.HashOnQueryArg, u.HashOnURICapture, u.HashOnCookie, u.HashOnCookiePath),
		HashFallback: hash(u.HashFallback, u.HashFallbackHeader, u.HashFallbackQueryArg, u.HashFallbackURICapture,
			u.HashOnCookie, u.HashOnCookiePath),
		Health: kongHealth(u.Healthchecks),
	}
	// In Kong, an input to hash implies the algorithm.
	if b.Algorithm == "" && b.HashOn.On != "" {
		b.Algorithm = hashing
	}
	c.balancing(place{"upstream", field.NewPath("upstream"), true}, b)
	host, wrong := HostHeader(text(u.HostHeader))
	if wrong != "" {
		c.refuse(field.NewPath("upstream", "host_header"), "upstream.host_header: %q is not %s", *u.HostHeader, wrong)
	}
	return unit.Fragment{Verdicts: c.verdicts}, Policy{Balancing: b, HostHeader: host}
}

func hash(on, header, query, capture, cookie, cookiePath *string) route.Hash {
	h := route.Hash{On: text(on)}
	switch h.On {
	case none:
		h.On = ""
	case "header":
		h.Name = text(header)
	case "query_arg":
		h.Name = text(query)
	case "uri_capture":
		h.Name = text(capture)
	case "cookie":
		h.Name, h.CookiePath = text(cookie), text(cookiePath)
	}
	return h
}

func kongHealth(h *gokong.Healthcheck) *route.Health {
	if h == nil {
		return nil
	}
	health := &route.Health{Threshold: h.Threshold}
	if a := h.Active; a != nil {
		health.Active = &route.Check{
			Type: text(a.Type), Concurrency: a.Concurrency, Timeout: a.Timeout,
			Path: text(a.HTTPPath), SNI: text(a.HTTPSSni), VerifyCertificate: a.HTTPSVerifyCertificate,
			Headers: a.Headers, Healthy: kongHealthy(a.Healthy), Unhealthy: kongUnhealthy(a.Unhealthy),
		}
	}
	if p := h.Passive; p != nil {
		health.Passive = &route.Check{Type: text(p.Type), Healthy: kongHealthy(p.Healthy), Unhealthy: kongUnhealthy(p.Unhealthy)}
	}
	return health
}

func kongHealthy(h *gokong.Healthy) *route.Outcome {
	if h == nil {
		return nil
	}
	return &route.Outcome{Interval: h.Interval, Statuses: h.HTTPStatuses, Successes: h.Successes}
}

func kongUnhealthy(h *gokong.Unhealthy) *route.Outcome {
	if h == nil {
		return nil
	}
	return &route.Outcome{
		Interval: h.Interval, Statuses: h.HTTPStatuses,
		HTTPFailures: h.HTTPFailures, TCPFailures: h.TCPFailures, Timeouts: h.Timeouts,
	}
}
