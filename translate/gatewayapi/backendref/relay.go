package backendref

import (
	"fmt"
	"reflect"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/filter"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// backend returns a backend whose service sends requests to the relay instead. If the relay limits
// the time itself, Kong does not.
func (r Relay) backend(b route.Backend, limitsTime bool) route.Backend {
	none, day := 0, int(unlimited.Milliseconds())
	b.Host, b.Port, b.Targets = r.Address.Addr().String(), int(r.Address.Port()), nil
	b.Balancing, b.HostHeader = nil, ""
	b.ClientCertificate, b.TLSVerify, b.TLSVerifyDepth, b.CACertificates = "", nil, nil, nil
	if isHTTP2(b.Protocol) {
		b.Protocol = "grpc"
	} else {
		b.Protocol = "http"
	}
	b.Retries = &none // the relay knows which requests it can send again
	if limitsTime {
		b.ReadTimeout, b.WriteTimeout = &day, &day
	}
	return b
}

// Need returns the relay's configuration for a rule, without backends and mirrors; nil if neither
// the rule nor, by needed, its backends need the relay. The error says why the relay cannot do it.
func (r Relay) Need(rule *gatewayv1.HTTPRouteRule, needed bool) (*route.Relay, error) {
	if !needed && rule.Retry == nil && rule.SessionPersistence == nil && len(mirrorsOf(filter.All(rule))) == 0 {
		return nil, nil
	}
	if !r.Address.IsValid() {
		return nil, route.ErrRelayOff
	}
	return relayFor(rule)
}

// relayFor returns a rule's timeouts, retries and session persistence.
func relayFor(rule *gatewayv1.HTTPRouteRule) (r *route.Relay, err error) {
	r = &route.Relay{}
	if t := rule.Timeouts; t != nil {
		if r.Request, err = duration("timeouts.request", t.Request); err != nil {
			return nil, err
		}
		if r.Try, err = duration("timeouts.backendRequest", t.BackendRequest); err != nil {
			return nil, err
		}
	}
	if rule.Retry != nil {
		if r.Retry, err = retryOf(rule.Retry); err != nil {
			return nil, err
		}
	}
	r.Session, err = sessionOf(rule)
	return r, err
}

// throughRelay returns the entities of a rule that needs the relay. Without it, requests would go
// to b.
func (t *ruleTranslation) throughRelay(relay *route.Relay, b route.Backend) []*kong.Entity {
	entities := kong.Service(t.options.Relay.backend(b, t.rule.Timeouts != nil || t.rule.Retry != nil))
	add := func(name string, backend int, shares ...share) string {
		own := *relay
		own.Name, own.Namespace, own.Key, own.Mirrors = name, t.key.Namespace, t.options.Relay.key(name), t.mirrors(backend)
		for _, s := range shares {
			// A backend without a weight gets no new sessions and keeps the existing ones.
			if (s.weight > 0 || relay.Session != nil) && s.live() > 0 {
				own.Backends = append(own.Backends, t.relayBackend(s))
			}
		}
		entities = append(entities, kong.Relay(own))
		return own.Key
	}
	if hasBackendFilters(t.rule) {
		t.found.Shares, t.found.Total = toShares(t.shares, t.kind.broken, func(i int, s share) filter.Share {
			return filter.Share{Relay: add(fmt.Sprintf("%s.%d", b.Name, i), i, s)}
		})
	} else {
		t.found.Relay = add(b.Name, -1, t.shares...)
	}
	return entities
}

// checkForRelay leaves out backends with annotations that the relay cannot follow, and warns about
// annotations without effect.
func (t *ruleTranslation) checkForRelay() {
	for i := range t.shares {
		s := &t.shares[i]
		if s.broken {
			continue
		}
		if s.tls != nil {
			s.transport.TLSVerify, s.transport.TLSVerifyDepth, s.transport.CACertificates = nil, nil, nil
		}
		if ptr.Deref(s.transport.TLSVerify, false) || s.transport.ClientCertificate != "" {
			s.broken, s.targets = true, nil
			t.unresolved(unsupported(s.at, "%s has annotations %s, which are not supported in rules with mirrors, retries, session persistence or a BackendTLSPolicy",
				s.name(), konghq([]string{annotation.TLSVerify, annotation.ClientCert})))
		}
		if s.balancing != nil || s.hostHeader != "" {
			t.warn(unit.At(s.at), condition.ReasonAnnotationWithoutEffect, "annotations %s of %s have no effect in rules with mirrors, retries, session persistence or a BackendTLSPolicy",
				konghq([]string{annotation.UpstreamPolicy, annotation.Override, annotation.HostHeader}), s.name())
		}
	}
}

// relayBackend returns a share in the relay's form, without targets that take no new requests.
func (t *ruleTranslation) relayBackend(s share) route.RelayBackend {
	b := route.RelayBackend{Weight: s.weight, HTTP2: isHTTP2(s.protocol)}
	if s.tls != nil {
		tls := *s.tls
		b.TLS = &tls
	} else if isTLS(s.protocol) {
		b.TLS = &route.BackendTLS{Unverified: true} // like Kong
	}
	if b.TLS != nil {
		b.TLS.Certificate, b.TLS.Key = t.clientCertificate.Certificate, t.clientCertificate.Key
	}
	for _, t := range s.targets {
		if t.Weight > 0 {
			b.Targets = append(b.Targets, t.Address)
		}
	}
	return b
}

// SameBackends reports whether two rules send their requests to the same backends in the same way,
// so that they can share a Kong service.
func SameBackends(a, b *gatewayv1.HTTPRouteRule) bool {
	if a.SessionPersistence != nil || b.SessionPersistence != nil {
		return a == b // sessions belong to one rule
	}
	return reflect.DeepEqual(a.BackendRefs, b.BackendRefs) && reflect.DeepEqual(a.Timeouts, b.Timeouts) &&
		reflect.DeepEqual(a.Retry, b.Retry) && reflect.DeepEqual(mirrorsOf(a.Filters), mirrorsOf(b.Filters))
}
