package backendref

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/gatewayapi/filter"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// sessionOf reads how a rule keeps its clients' sessions at one endpoint. Kong's hashing
// by a cookie would move sessions of endpoints that are still there when others come or go.
func sessionOf(rule *gatewayv1.HTTPRouteRule) (*route.Session, error) {
	p := rule.SessionPersistence
	if p == nil {
		return nil, nil
	}
	lifetime, err := duration("sessionPersistence.absoluteTimeout", p.AbsoluteTimeout)
	if err != nil {
		return nil, err
	}
	s := &route.Session{
		Name: ptr.Deref(p.SessionName, ""), Lifetime: lifetime, Path: sessionPath(rule),
		Header: ptr.Deref(p.Type, gatewayv1.CookieBasedSessionPersistence) == gatewayv1.HeaderBasedSessionPersistence,
	}
	if p.CookieConfig != nil && !s.Header {
		s.Permanent = ptr.Deref(p.CookieConfig.LifetimeType, gatewayv1.SessionCookieLifetimeType) == gatewayv1.PermanentCookieLifetimeType
	}
	switch {
	case s.Name != "" && !filter.Token.MatchString(s.Name):
		return nil, filter.Wrong("sessionPersistence.sessionName", "sessionPersistence: %q is not the name of a cookie or header", s.Name)
	case s.Permanent && s.Lifetime == 0:
		return nil, filter.Wrong("sessionPersistence.absoluteTimeout", "sessionPersistence: a permanent cookie needs an absoluteTimeout")
	case separate(rule):
		return nil, filter.Wrong("sessionPersistence", "sessionPersistence is not supported beside filters of single backends")
	}
	return s, nil
}

// sessionPath is where a browser sends the cookie: to the rule's path if it has only one.
// A cookie's path has no slash at its end, or the path without it is another one to
// browsers, and no semicolon.
func sessionPath(rule *gatewayv1.HTTPRouteRule) string {
	if len(rule.Matches) != 1 {
		return "/"
	}
	p := rule.Matches[0].Path
	if p == nil || ptr.Deref(p.Type, gatewayv1.PathMatchPathPrefix) == gatewayv1.PathMatchRegularExpression {
		return "/"
	}
	path := strings.TrimRight(ptr.Deref(p.Value, "/"), "/")
	if path == "" || strings.Contains(path, ";") {
		return "/"
	}
	return path
}

// named completes a session by what tells it from those of other rules: all gateways of
// the class read the same tokens, and nobody makes them who cannot read the route.
func named(s *route.Session, object unit.Object, service string) *route.Session {
	if s == nil {
		return nil
	}
	s.Salt = string(object.GetUID()) + " " + service
	if s.Name == "" {
		sum := sha256.Sum256([]byte(service))
		s.Name = "kube-sync-" + hex.EncodeToString(sum[:4])
	}
	return s
}
