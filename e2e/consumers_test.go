package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

func wantHeader(t *testing.T, address, host, name, value string) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		for range 4 {
			response, body, err := request{host: host}.send(address)
			if err != nil {
				return err
			}
			if got := response.Header.Get(name); got != value {
				return fmt.Errorf("%s is %q, want %q: %s %s", name, got, value, response.Status, body)
			}
		}
		return nil
	})
}

// Keys identify consumers, and groups authorize them. Each change of credentials takes effect at once.
func TestKeyAuthWithACL(t *testing.T) {
	cp := cluster(t)
	kongKinds(t, cp)
	gw := gateway(t, cp, nil)
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, app("web", host, 1)+"---"+withPlugins("web", host, "web", "auth, staff")+
		kongPlugin("auth", "key-auth", "{}")+kongPlugin("staff", "acl", "{allow: [staff]}")+
		consumer("ann", "", "ann-key", "ann-acl")+credential("ann-key", "key-auth", "key", ns+"-ann")+credential("ann-acl", "acl", "group", "staff")+
		consumer("bob", "", "bob-key")+credential("bob-key", "key-auth", "key", ns+"-bob"))
	wantAnswers(t, gw.HTTP, key(host, ns+"-ann"), http.StatusOK)
	wantAnswers(t, gw.HTTP, key(host, ns+"-bob"), http.StatusForbidden)
	wantAnswers(t, gw.HTTP, key(host, "nobody"), http.StatusUnauthorized)
	wantAnswers(t, gw.HTTP, request{host: host}, http.StatusUnauthorized)

	cp.MustApply(t, ns, consumer("bob", "", "bob-key", "bob-acl")+credential("bob-acl", "acl", "group", "staff"))
	wantAnswers(t, gw.HTTP, key(host, ns+"-bob"), http.StatusOK)
	cp.MustApply(t, ns, consumer("ann", "", "ann-acl"))
	wantAnswers(t, gw.HTTP, key(host, ns+"-ann"), http.StatusUnauthorized)
	cp.MustApply(t, ns, credential("bob-key", "key-auth", "key", ns+"-bob-2"))
	wantAnswers(t, gw.HTTP, key(host, ns+"-bob-2"), http.StatusOK)
	wantAnswers(t, gw.HTTP, key(host, ns+"-bob"), http.StatusUnauthorized)

	// A later consumer with the same key does not get it.
	cp.MustApply(t, ns, consumer("eve", "", "eve-key")+credential("eve-key", "key-auth", "key", ns+"-bob-2"))
	wantEvent(t, cp, ns, "eve", "Conflict")
	wantAnswers(t, gw.HTTP, key(host, ns+"-bob-2"), http.StatusOK)
}

func TestBasicAuthAndJWT(t *testing.T) {
	cp := cluster(t)
	kongKinds(t, cp)
	gw := gateway(t, cp, nil)
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, app("web", host, 1)+"---"+withPlugins("basic", "basic."+host, "web", "basic")+"---"+withPlugins("jwt", "jwt."+host, "web", "jwt")+
		kongPlugin("basic", "basic-auth", "{}")+kongPlugin("jwt", "jwt", "{}")+
		consumer("ann", "", "ann-basic", "ann-jwt")+credential("ann-basic", "basic-auth", "username", ns, "password", "secret-1")+
		credential("ann-jwt", "jwt", "key", ns, "secret", "signing"))
	wantAnswers(t, gw.HTTP, request{host: "basic." + host, user: ns + ":secret-1"}, http.StatusOK)
	wantAnswers(t, gw.HTTP, request{host: "basic." + host, user: ns + ":wrong"}, http.StatusUnauthorized)
	cp.MustApply(t, ns, credential("ann-basic", "basic-auth", "username", ns, "password", "secret-2"))
	wantAnswers(t, gw.HTTP, request{host: "basic." + host, user: ns + ":secret-2"}, http.StatusOK)
	wantAnswers(t, gw.HTTP, request{host: "basic." + host, user: ns + ":secret-1"}, http.StatusUnauthorized)

	bearer := func(secret string) request {
		return request{host: "jwt." + host, header: map[string]string{"Authorization": "Bearer " + token(ns, secret)}}
	}
	wantAnswers(t, gw.HTTP, bearer("signing"), http.StatusOK)
	wantAnswers(t, gw.HTTP, bearer("forged"), http.StatusUnauthorized)
}

// token returns a JSON Web Token of an issuer.
func token(issuer, secret string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(fmt.Appendf(nil, `{"iss":%q}`, issuer))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// A limit on a consumer applies on all routes. A limit on a consumer and an Ingress applies to that consumer there.
func TestRateLimitPerConsumer(t *testing.T) {
	cp := cluster(t)
	kongKinds(t, cp)
	gw := gateway(t, cp, nil)
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, app("web", host, 1)+"---"+withPlugins("web", host, "web", "auth")+"---"+
		withPlugins("both", "both."+host, "web", "auth, one")+
		kongPlugin("auth", "key-auth", "{}")+kongPlugin("none", "rate-limiting", "{hour: 2, policy: local}")+
		kongPlugin("one", "request-termination", "{status_code: 418}")+
		consumer("ann", ", konghq.com/plugins: none", "ann-key")+credential("ann-key", "key-auth", "key", ns+"-ann")+
		consumer("bob", ", konghq.com/plugins: one", "bob-key")+credential("bob-key", "key-auth", "key", ns+"-bob"))
	wantAnswers(t, gw.HTTP, key(host, ns+"-bob"), http.StatusOK)
	wantAnswers(t, gw.HTTP, key("both."+host, ns+"-bob"), http.StatusTeapot)
	wantAnswers(t, gw.HTTP, key(host, ns+"-ann"), http.StatusTooManyRequests)
	wantAnswers(t, gw.HTTP, key("both."+host, ns+"-ann"), http.StatusTooManyRequests)
	wantAnswers(t, gw.HTTP, key(host, ns+"-bob"), http.StatusOK)
}
