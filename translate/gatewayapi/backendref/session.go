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

// sessionOf reads the session persistence of a rule. Kong's own hashing by cookie would move
// sessions to other endpoints whenever the set of endpoints changes.
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
		return nil, filter.FieldErrorf("sessionPersistence.sessionName", "sessionPersistence: %q is not a valid name of a cookie or header", s.Name)
	case s.Permanent && s.Lifetime == 0:
		return nil, filter.FieldErrorf("sessionPersistence.absoluteTimeout", "sessionPersistence: a permanent cookie needs an absoluteTimeout")
	case hasBackendFilters(rule):
		return nil, filter.FieldErrorf("sessionPersistence", "sessionPersistence is not supported in rules whose backendRefs have filters")
	}
	return s, nil
}

// sessionPath returns the path of the cookie: the rule's path if it has only one. It has no slash
// at its end, as browsers would then not send the cookie for the path without it, and no semicolon.
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

// withNameAndSalt sets a default name and a salt, which make the session unique to its rule. All
// gateways of the class can read its tokens. The salt has the route's UID, so only a reader of the
// route could make tokens.
func withNameAndSalt(s *route.Session, object unit.Object, service string) *route.Session {
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
