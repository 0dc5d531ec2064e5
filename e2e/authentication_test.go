package e2e

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// Authentication of consumers, besides that of TestKeyAuthWithACL and TestBasicAuthAndJWT.
func TestAuthentication(t *testing.T) {
	s := newScene(t, nil)
	t.Run("HMAC", s.hmac)
	t.Run("JWTWithRS256", s.rs256)
	t.Run("ACLDenies", s.aclDenies)
	t.Run("EitherOrNobody", s.eitherOrNobody)
	t.Run("OAuth2", s.oauth2)
}

// A signature is valid for one request, and cannot be made without the secret.
func (s scene) hmac(t *testing.T) {
	host := s.host("hmac")
	s.apply(t, withPlugins("hmac", host, "web", "hmac"), kongPlugin("hmac", "hmac-auth", "{enforce_headers: [date, request-line], algorithms: [hmac-sha256]}"),
		consumer("hal", "", "hal-hmac"), credential("hal-hmac", "hmac-auth", "username", s.ns, "secret", "hush"))
	signed := func(secret, signedPath, path string) request {
		date := time.Now().UTC().Format(http.TimeFormat)
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "date: %s\nGET %s HTTP/1.1", date, signedPath)
		return request{host: host, path: path, header: map[string]string{
			"Date": date,
			"Authorization": fmt.Sprintf(`hmac username="%s", algorithm="hmac-sha256", headers="date request-line", signature="%s"`,
				s.ns, base64.StdEncoding.EncodeToString(mac.Sum(nil))),
		}}
	}
	s.want(t, signed("hush", "/mine", "/mine"), http.StatusOK, func(_ *http.Response, e echoed) error {
		return same("the consumer that the backend sees", e.Headers.Get("X-Consumer-Username"), "hal")
	})
	s.want(t, signed("hush", "/mine", "/yours"), http.StatusUnauthorized, nil)
	s.want(t, signed("guessed", "/mine", "/mine"), http.StatusUnauthorized, nil)
	s.want(t, request{host: host}, http.StatusUnauthorized, nil)
}

func same[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: %v, want %v", what, got, want)
	}
	return nil
}

// A token that is signed with a private key is accepted by the public key. A token that is signed with the public
// key as a secret, or not at all, is rejected.
func (s scene) rs256(t *testing.T) {
	host := s.host("rs256")
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: encoded}))
	issuer := s.ns + "-rs256"
	s.apply(t, withPlugins("rs256", host, "web", "rs256"), kongPlugin("rs256", "jwt", "{claims_to_verify: [exp]}"),
		consumer("rob", "", "rob-jwt"), credential("rob-jwt", "jwt", "key", issuer, "algorithm", "RS256", "rsa_public_key", public))
	bearer := func(token string) request {
		return request{host: host, header: map[string]string{"Authorization": "Bearer " + token}}
	}
	sign := func(algorithm string, expires time.Time, signature func(text string) []byte) string {
		encode := base64.RawURLEncoding.EncodeToString
		text := encode(fmt.Appendf(nil, `{"alg":%q,"typ":"JWT"}`, algorithm)) + "." +
			encode(fmt.Appendf(nil, `{"iss":%q,"exp":%d}`, issuer, expires.Unix()))
		return text + "." + encode(signature(text))
	}
	withKey := func(text string) []byte {
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	withPublic := func(text string) []byte {
		mac := hmac.New(sha256.New, []byte(public))
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	s.want(t, bearer(sign("RS256", soon, withKey)), http.StatusOK, nil)
	s.want(t, bearer(sign("RS256", past, withKey)), http.StatusUnauthorized, nil)
	s.want(t, bearer(sign("HS256", soon, withPublic)), http.StatusUnauthorized, nil)
	s.want(t, bearer(sign("none", soon, func(string) []byte { return nil })), http.StatusUnauthorized, nil)
}

// An ACL can deny a group, until the consumer leaves it.
func (s scene) aclDenies(t *testing.T) {
	host := s.host("deny")
	s.apply(t, withPlugins("deny", host, "web", "deny-auth, deny"), kongPlugin("deny-auth", "key-auth", "{}"), kongPlugin("deny", "acl", "{deny: [blocked]}"),
		consumer("dan", "", "dan-key", "dan-acl"), credential("dan-key", "key-auth", "key", s.ns+"-dan"), credential("dan-acl", "acl", "group", "blocked"),
		consumer("eva", "", "eva-key"), credential("eva-key", "key-auth", "key", s.ns+"-eva"))
	s.want(t, key(host, s.ns+"-eva"), http.StatusOK, nil)
	s.want(t, key(host, s.ns+"-dan"), http.StatusForbidden, nil)
	s.apply(t, consumer("dan", "", "dan-key"))
	s.want(t, key(host, s.ns+"-dan"), http.StatusOK, nil)
}

// With two authentication plugins, one of which is enough, a client without credentials is the anonymous consumer of
// both.
func (s scene) eitherOrNobody(t *testing.T) {
	host := s.host("either")
	nobody := s.ns + "-nobody"
	s.apply(t, withPlugins("either", host, "web", "by-key, by-password"),
		kongPlugin("by-key", "key-auth", "{anonymous: "+nobody+"}"), kongPlugin("by-password", "basic-auth", "{anonymous: "+nobody+"}"),
		kongPlugin("told", "request-termination", "{status_code: 418}"), consumer(nobody, ", konghq.com/plugins: told"),
		consumer("fay", "", "fay-key"), credential("fay-key", "key-auth", "key", s.ns+"-fay"),
		consumer("gus", "", "gus-basic"), credential("gus-basic", "basic-auth", "username", s.ns+"-gus", "password", "p"))
	s.want(t, key(host, s.ns+"-fay"), http.StatusOK, nil)
	s.want(t, request{host: host, user: s.ns + "-gus:p"}, http.StatusOK, nil)
	s.want(t, request{host: host}, http.StatusTeapot, nil)
	s.want(t, key(host, "guessed"), http.StatusTeapot, nil)
}

// OAuth 2.0 needs a database for its tokens, which a DB-less Kong lacks. Clients with valid secrets get no token, the
// route stays closed, and the plugin's status says why.
func (s scene) oauth2(t *testing.T) {
	host := s.host("oauth2")
	s.apply(t, withPlugins("oauth2", host, "web", "oauth2"), kongPlugin("oauth2", "oauth2", "{enable_client_credentials: true, scopes: [read]}"),
		consumer("hua", "", "hua-app"), credential("hua-app", "oauth2", "name", "app", "client_id", s.ns, "client_secret", "known", "redirect_uris", "https://a.example"))
	s.want(t, request{host: host}, http.StatusUnauthorized, nil)
	s.want(t, request{host: host, header: map[string]string{"Authorization": "Bearer guessed"}}, http.StatusUnauthorized, nil)
	wantEvent(t, s.cp, s.ns, "oauth2", "DatabaseMissing")
	for secret, status := range map[string]int{"guessed": http.StatusBadRequest, "known": http.StatusInternalServerError} {
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {s.ns}, "client_secret": {secret}, "scope": {"read"}}
		eventually.Nil(t, time.Minute, func() error {
			response, err := post("https://"+s.gw.HTTPS+"/oauth2/token", host, form)
			if err != nil {
				return err
			}
			return same("status of a client whose secret is "+secret, response.StatusCode, status)
		})
	}
}

func post(to, host string, form url.Values) (*http.Response, error) {
	sent, err := http.NewRequest(http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	sent.Host = host
	sent.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := (&http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{ServerName: host, InsecureSkipVerify: true},
	}).RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	return response, response.Body.Close()
}
