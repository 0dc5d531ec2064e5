package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// What a team does with its Ingresses in a week, and its mistakes.
func TestShop(t *testing.T) {
	s := newScene(t, nil)
	t.Run("Canary", s.canary)
	t.Run("CrossCutting", s.crossCutting)
	t.Run("RateLimit", s.rateLimit)
	t.Run("WithoutClass", s.withoutClass)
	t.Run("BrokenKinds", s.brokenKinds)
}

// Requests with a header go to the new version, and all others to the old one. Without the Ingress of the new
// version, all go to the old one.
func (s scene) canary(t *testing.T) {
	host := s.host("canary")
	canary := strings.Replace(annotatedIngress("canary", host, "/", "konghq.com/headers.x-canary: always"), "name: web, port", "name: next, port", 1)
	s.apply(t, deployment("next", 1), ingress("stable", host, "/", "web"), canary)
	with := request{host: host, header: map[string]string{"X-Canary": "always"}}
	s.want(t, with, http.StatusOK, answeredBy("next-"))
	s.want(t, request{host: host}, http.StatusOK, answeredBy("web-"))
	s.want(t, request{host: host, header: map[string]string{"X-Canary": "never"}}, http.StatusOK, answeredBy("web-"))
	served := watchOnly(t, s.gw.HTTP, with, http.StatusOK)
	s.remove(t, canary)
	s.want(t, with, http.StatusOK, answeredBy("web-"))
	served.stop(t)
}

// Several plugins on one Ingress work: CORS, correlation ids and header changes.
func (s scene) crossCutting(t *testing.T) {
	host := s.host("cutting")
	s.apply(t, withPlugins("cutting", host, "web", "readers, number, told"),
		kongPlugin("readers", "cors", "{origins: ['https://shop.example'], methods: [GET], credentials: true, max_age: 60}"),
		kongPlugin("number", "correlation-id", "{header_name: X-Request-Number, generator: uuid, echo_downstream: true}"),
		kongPlugin("told", "request-transformer", "{remove: {headers: [x-internal]}, add: {headers: ['x-shop:yes'], querystring: ['from:kong']}}"))
	s.want(t, request{host: host, header: map[string]string{"Origin": "https://shop.example", "X-Internal": "1"}}, http.StatusOK, func(r *http.Response, e echoed) error {
		number := r.Header.Get("X-Request-Number")
		return errors.Join(
			same("number", number != "" && number == e.Headers.Get("X-Request-Number"), true),
			same("reader", r.Header.Get("Access-Control-Allow-Origin"), "https://shop.example"),
			same("what the backend is told", e.Headers.Get("X-Shop")+e.Headers.Get("X-Internal")+" "+e.Query, "yes from=kong"),
		)
	})
	eventually.Nil(t, time.Minute, func() error {
		e, err := askGateway(s.gw, "OPTIONS", host, "/", "Origin", "https://shop.example", "Access-Control-Request-Method", "GET")
		if err != nil {
			return err
		}
		return same("status and age of a preflight", fmt.Sprint(e.StatusCode, " ", e.Header.Get("Access-Control-Max-Age")), "200 60")
	})
}

// A client over its limit is refused with the time to retry. Other clients are not affected.
func (s scene) rateLimit(t *testing.T) {
	host := s.host("limited")
	s.apply(t, withPlugins("limited", host, "web", "limit-auth, limit"), kongPlugin("limit-auth", "key-auth", "{}"),
		kongPlugin("limit", "rate-limiting", "{hour: 3, policy: local, limit_by: consumer}"),
		consumer("lea", "", "lea-key"), credential("lea-key", "key-auth", "key", s.ns+"-lea"),
		consumer("max", "", "max-key"), credential("max-key", "key-auth", "key", s.ns+"-max"))
	s.want(t, key(host, s.ns+"-lea"), http.StatusTooManyRequests, func(r *http.Response, _ echoed) error {
		return same("there is a time to come again", r.Header.Get("Retry-After") != "", true)
	})
	eventually.Nil(t, time.Minute, func() error {
		response, _, err := key(host, s.ns+"-max").roundTrip(s.gw.HTTP)
		if err != nil {
			return err
		}
		return same("status for another consumer", response.StatusCode, http.StatusOK)
	})
}

// An object that seems to be for this gateway, but lacks its class, gets a diagnostic.
func (s scene) withoutClass(t *testing.T) {
	without := func(manifest string) string {
		return strings.NewReplacer("annotations: {kubernetes.io/ingress.class: kong}", "annotations: {}", "  ingressClassName: kong\n", "").Replace(manifest)
	}
	s.apply(t, without(consumer("classless-consumer", "")), without(annotatedIngress("classless-ingress", s.host("classless"), "/", "konghq.com/strip-path: 'true'")),
		"apiVersion: configuration.konghq.com/v1beta1\nkind: UDPIngress\nmetadata: {name: classless-udp}\nspec: {rules: [{port: 9000, backend: {serviceName: web, servicePort: 80}}]}\n")
	for _, name := range []string{"classless-consumer", "classless-ingress", "classless-udp"} {
		wantEvent(t, s.cp, s.ns, name, "ClassMissing")
	}
	s.want(t, request{host: s.host("classless")}, http.StatusNotFound, nil)
	plugin := fmt.Sprintf("apiVersion: configuration.konghq.com/v1\nkind: KongClusterPlugin\nmetadata: {name: %s, labels: {global: 'true'}}\nplugin: key-auth\n", s.ns)
	t.Cleanup(func() { _ = s.cp.Delete(context.WithoutCancel(t.Context()), "", plugin) })
	s.apply(t, plugin)
	wantEvent(t, s.cp, metav1.NamespaceDefault, s.ns, "ClassMissing") // where Events of what has no namespace are
	s.want(t, request{host: s.host("canary")}, http.StatusOK, nil)
}

// Invalid objects of Kong's kinds each get a diagnostic, and later objects are served.
func (s scene) brokenKinds(t *testing.T) {
	host := s.host("broken")
	vault := fmt.Sprintf("apiVersion: configuration.konghq.com/v1alpha1\nkind: KongVault\nmetadata: {name: %s, annotations: {kubernetes.io/ingress.class: kong}}\nspec: {backend: nowhere, prefix: broken}\n", s.ns)
	t.Cleanup(func() { _ = s.cp.Delete(context.WithoutCancel(t.Context()), "", vault) })
	s.apply(t, vault, `
apiVersion: v1
kind: Secret
metadata: {name: unparsable}
stringData: {config: "a: [b"}
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: unparsable}
plugin: key-auth
configFrom: {secretKeyRef: {name: unparsable, key: config}}
`, kongPlugin("unknown", "no-such-plugin", "{}"), kongPlugin("lua", "pre-function", "{access: ['return 1']}"),
		withPlugins("unparsable", "unparsable."+host, "web", "unparsable"), withPlugins("unknown", "unknown."+host, "web", "unknown"),
		withPlugins("lua", "lua."+host, "web", "lua"),
		consumer("nan", "", "nan-key", "nan-jwt"), credential("nan-key", "key-auth", "nokey", "x"), credential("nan-jwt", "jwt", "key", s.ns, "algorithm", "RS256", "rsa_public_key", "no key"),
		upstreamPolicy("nonsense", "algorithm: consistent-hashing\nhashOn: {header: 'a b'}"), facing("nonsense", "konghq.com/upstream-policy: nonsense\nkonghq.com/read-timeout: soon\nkonghq.com/unheard-of: '1'"),
		ingress("nonsense", "nonsense."+host, "/", "nonsense"))
	s.apply(t, ingress("late", "late."+host, "/", "web"))
	s.want(t, request{host: "late." + host}, http.StatusOK, nil)
	s.want(t, request{host: "nonsense." + host}, http.StatusOK, nil)
	for _, closed := range []string{"unparsable", "unknown", "lua"} {
		s.want(t, request{host: closed + "." + host}, http.StatusServiceUnavailable, nil)
		wantCondition(t, s.cp, kongPlugins, s.ns, closed, "Programmed", "False")
	}
	wantCondition(t, s.cp, kongConsumers, s.ns, "nan", "Programmed", "False")
	wantCondition(t, s.cp, kongVaults, "", s.ns, "Programmed", "False")
	wantEvent(t, s.cp, s.ns, "nonsense", "AnnotationInvalid")
	wantEvent(t, s.cp, s.ns, "nonsense", "AnnotationIgnored")
	// Corrected objects are served.
	s.apply(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: unparsable}\nstringData: {config: 'key_names: [x-key]'}\n")
	s.want(t, request{host: "unparsable." + host}, http.StatusUnauthorized, nil)
	wantCondition(t, s.cp, kongPlugins, s.ns, "unparsable", "Programmed", "True")
}
