package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// Annotations of Services and routes with routes of Gateway API.
func TestRouteServices(t *testing.T) {
	s := newScene(t, nil)
	s.apply(t, plainGateway)
	t.Run("Plugin", s.routeServicePlugin)
	t.Run("Annotations", s.routeServiceAnnotations)
	t.Run("Differ", s.routeServicesDiffer)
	t.Run("Refused", s.routeServiceRefused)
	t.Run("RouteAnnotations", s.routeAnnotations)
}

// toService returns a route for a host to backends.
func toService(name, host, annotations, backends string) string {
	return fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: %s
  annotations: {%s}
spec:
  parentRefs: [{name: same}]
  hostnames: [%s]
  rules: [{backendRefs: [%s]}]
`, name, annotations, host, backends)
}

// A Service's plugin protects it on all routes, also as one of two backends.
func (s scene) routeServicePlugin(t *testing.T) {
	one, two := s.host("guarded"), s.host("guarded-and-plain")
	s.apply(t, facing("guarded", "konghq.com/plugins: service-auth"), kongPlugin("service-auth", "key-auth", "{}"),
		consumer("zoe", "", "zoe-key"), credential("zoe-key", "key-auth", "key", s.ns+"-zoe"),
		toService("guarded", one, "", "{name: guarded, port: 80}"),
		toService("guarded-and-plain", two, "", "{name: guarded, port: 80}, {name: web, port: 80}"))
	for _, host := range []string{one, two} {
		s.want(t, request{host: host}, http.StatusUnauthorized, nil)
		s.want(t, key(host, s.ns+"-zoe"), http.StatusOK, nil)
	}
	wantEvent(t, s.cp, s.ns, "guarded-and-plain", "BackendsDiffer")
}

// A Service sets the path and the Host header of its requests.
func (s scene) routeServiceAnnotations(t *testing.T) {
	host := s.host("annotated")
	s.apply(t, facing("annotated", "konghq.com/path: /v1\nkonghq.com/host-header: inner.example"),
		toService("annotated", host, `konghq.com/preserve-host: "false"`, "{name: annotated, port: 80}"))
	s.want(t, request{host: host, path: "/a"}, http.StatusOK, func(_ *http.Response, e echoed) error {
		name, _, _ := strings.Cut(e.Host, ":")
		return errors.Join(same("path", e.Path, "/v1/a"), same("host", name, "inner.example"))
	})
}

// Backends with different balancing each get their share and keep their balancing. A backend with another path answers
// an error for its share.
func (s scene) routeServicesDiffer(t *testing.T) {
	host := s.host("differ")
	s.apply(t, deployment("other", 1), facing("hashed", "konghq.com/upstream-policy: by-user"),
		"apiVersion: configuration.konghq.com/v1beta1\nkind: KongUpstreamPolicy\nmetadata: {name: by-user}\nspec: {algorithm: consistent-hashing, hashOn: {header: X-User}}\n",
		facing("deep", "konghq.com/path: /deep"),
		toService("differ", host, "", "{name: other, port: 80, weight: 2}, {name: hashed, port: 80, weight: 1}, {name: deep, port: 80, weight: 1}"))
	seen := map[string]int{}
	eventually.Nil(t, time.Minute, func() error {
		clear(seen)
		for range 200 {
			response, e, err := request{host: host}.roundTrip(s.gw.HTTP)
			if err != nil {
				return err
			}
			app, _, _ := strings.Cut(e.Pod, "-")
			seen[fmt.Sprint(response.StatusCode, " ", app)]++
		}
		if len(seen) != 3 || seen["200 other"] < 60 || seen["200 web"] < 20 || seen["500 "] < 20 {
			return fmt.Errorf("of 200 requests: %v", seen)
		}
		return nil
	})
	wantRoute(t, s.cp, s.ns, "differ", "ResolvedRefs", "UnsupportedProtocol")
}

// A Service whose plugin Kong rejects gets no requests, also as one of several weighted backends.
func (s scene) routeServiceRefused(t *testing.T) {
	host := s.host("refused")
	s.apply(t, facing("refused", "konghq.com/plugins: refused-plugin\nkonghq.com/host-header: a.example"), kongPlugin("refused-plugin", "key-auth", "{no_such_field: 1}"),
		toService("refused", host, "konghq.com/plugins: let-in", "{name: refused, port: 80}, {name: web, port: 80}"),
		kongPlugin("let-in", "ip-restriction", "{allow: [0.0.0.0/0, '::/0']}"))
	s.want(t, request{host: host}, http.StatusServiceUnavailable, nil)
	s.apply(t, kongPlugin("refused-plugin", "key-auth", "{key_names: [x-key]}"))
	s.want(t, request{host: host}, http.StatusUnauthorized, nil)
}

// Annotations of a route require TLS, and add hosts.
func (s scene) routeAnnotations(t *testing.T) {
	host, alias := s.host("annotated"), s.host("alias")
	s.apply(t, toService("annotated", host, `konghq.com/protocols: https, konghq.com/https-redirect-status-code: "308", konghq.com/host-aliases: `+alias, "{name: web, port: 80}"))
	for _, name := range []string{host, alias} {
		s.want(t, request{host: name, path: "/a"}, http.StatusPermanentRedirect, func(response *http.Response, _ echoed) error {
			return same("location", response.Header.Get("Location"), "https://"+name+"/a")
		})
	}
}
