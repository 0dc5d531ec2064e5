package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// clusterProxy is the address to which the names of Services resolve. The test answers there in place of kube-proxy.
const clusterProxy = "10.245.7.1"

// Balancing over endpoints, by Kong and by the cluster, and other kinds in place of a Service.
func TestBalancing(t *testing.T) {
	s := newScene(t, func(ns string) map[string]string {
		hosts := filepath.Join(t.TempDir(), "hosts")
		names := ""
		for _, service := range []string{"clustered", "for-all"} {
			names += fmt.Sprintf("%s %s.%s.svc\n", clusterProxy, service, ns)
		}
		if err := os.WriteFile(hosts, []byte(names), 0o644); err != nil {
			t.Fatal(err)
		}
		return map[string]string{"DNS_HOSTSFILE": hosts}
	})
	s.gw.NeedKong()
	t.Run("Cookie", s.cookie)
	t.Run("ServiceUpstream", s.serviceUpstream)
	t.Run("ClassParameters", s.classParameters)
	t.Run("Facade", s.facade)
	t.Run("KongIngress", s.kongIngress)
}

// A client without a cookie gets one, and stays with one pod. Different clients get different pods.
func (s scene) cookie(t *testing.T) {
	host := s.host("cookie")
	many := strings.Replace(deployment("many", 3), "metadata: {name: many}\nspec:\n  selector", "metadata: {name: many, annotations: {konghq.com/upstream-policy: sticky}}\nspec:\n  selector", 1)
	s.apply(t, many, upstreamPolicy("sticky", "algorithm: consistent-hashing\nhashOn: {cookie: session, cookiePath: /}"), ingress("sticky", host, "/", "many"))
	client := func() (pod string, err error) {
		response, e, err := request{host: host}.roundTrip(s.gw.HTTP)
		if err != nil || response.StatusCode != http.StatusOK || len(response.Cookies()) != 1 || response.Cookies()[0].Name != "session" {
			return "", fmt.Errorf("a client without a cookie is answered %v, %v", response, err)
		}
		again := request{host: host, header: map[string]string{"Cookie": response.Cookies()[0].String()}}
		for range 4 {
			response, next, err := again.roundTrip(s.gw.HTTP)
			if err != nil || response.StatusCode != http.StatusOK || next.Pod != e.Pod {
				return "", fmt.Errorf("a client of %s is answered by %q, %v", e.Pod, next.Pod, err)
			}
		}
		return e.Pod, nil
	}
	eventually.Nil(t, time.Minute, func() error {
		pods := map[string]bool{}
		for range 12 {
			pod, err := client()
			if err != nil {
				return err
			}
			pods[pod] = true
		}
		if len(pods) < 2 {
			return fmt.Errorf("all clients are with %v", pods)
		}
		return nil
	})
}

// Kong connects to the name of a Service that leaves balancing to the cluster.
func (s scene) serviceUpstream(t *testing.T) {
	s.playProxy(t)
	host := s.host("clustered")
	service := func(annotations string) string {
		return facing("clustered", annotations)
	}
	s.apply(t, service("konghq.com/tags: plain"), ingress("clustered", host, "/", "clustered"))
	s.want(t, request{host: host}, http.StatusOK, answeredBy("web-"))
	s.apply(t, service("ingress.kubernetes.io/service-upstream: 'true'"))
	s.want(t, request{host: host}, http.StatusOK, answeredBy("kube-proxy"))
}

// playProxy answers at the address to which Services' names resolve.
func (s scene) playProxy(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", clusterProxy+":80")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(echoed{Pod: "kube-proxy", Host: r.Host, Path: r.URL.Path})
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
}

func answeredBy(prefix string) func(*http.Response, echoed) error {
	return func(_ *http.Response, e echoed) error {
		if !strings.HasPrefix(e.Pod, prefix) {
			return fmt.Errorf("%q answers, want %s", e.Pod, prefix)
		}
		return nil
	}
}

// A class can do that for all Services, and make paths that look like regular expressions regular expressions. That
// ends with the setting.
func (s scene) classParameters(t *testing.T) {
	s.playProxy(t)
	host := s.host("for-all")
	parameters := func(spec string) string {
		return "apiVersion: configuration.konghq.com/v1alpha1\nkind: IngressClassParameters\nmetadata: {name: parameters}\nspec: " + spec + "\n"
	}
	s.apply(t, facing("for-all", "konghq.com/tags: plain"),
		strings.Replace(annotatedIngress("for-all-regex", host, `/v\d+/items`, "konghq.com/strip-path: 'true'"), "name: web, port", "name: for-all, port", 1),
		ingress("for-all-plain", host, "/", "for-all"), parameters("{serviceUpstream: true, enableLegacyRegexDetection: true}"))
	t.Cleanup(func() {
		if _, err := s.cp.Apply(context.WithoutCancel(t.Context()), "", ingressClass); err != nil {
			t.Error(err)
		}
	})
	s.cp.MustApply(t, "", strings.Replace(ingressClass, "spec: {", "spec: {parameters: {apiGroup: configuration.konghq.com, kind: IngressClassParameters, name: parameters, scope: Namespace, namespace: "+s.ns+"}, ", 1))
	s.want(t, request{host: host, path: "/v12/items/3"}, http.StatusOK, func(_ *http.Response, e echoed) error {
		return same("who is sent what", e.Pod+" "+e.Path, "kube-proxy /3")
	})
	s.apply(t, parameters("{serviceUpstream: false, enableLegacyRegexDetection: true}"))
	s.want(t, request{host: host}, http.StatusOK, answeredBy("web-"))
	s.want(t, request{host: host, path: "/v12/items/3"}, http.StatusOK, func(_ *http.Response, e echoed) error {
		return same("path", e.Path, "/3")
	})
	s.apply(t, parameters("{enableLegacyRegexDetection: false}"))
	s.want(t, request{host: host, path: "/v12/items/3"}, http.StatusOK, func(_ *http.Response, e echoed) error {
		return same("path", e.Path, "/v12/items/3")
	})
}

// A KongServiceFacade is a backend with annotations of its own.
func (s scene) facade(t *testing.T) {
	host := s.host("facade")
	s.apply(t, kongPlugin("fronted", "request-transformer", "{add: {headers: ['x-fronted:yes']}}"), `
apiVersion: incubator.ingress-controller.konghq.com/v1alpha1
kind: KongServiceFacade
metadata: {name: front, annotations: {kubernetes.io/ingress.class: kong, konghq.com/plugins: fronted, konghq.com/path: /base}}
spec: {backendRef: {name: web, port: 80}}
`, strings.Replace(ingress("facade", host, "/", "web"), "service: {name: web, port: {number: 80}}",
		"resource: {apiGroup: incubator.ingress-controller.konghq.com, kind: KongServiceFacade, name: front}", 1),
		ingress("beside", s.host("beside"), "/", "web"))
	s.want(t, request{host: host, path: "/x"}, http.StatusOK, func(_ *http.Response, e echoed) error {
		return same("path and header", e.Path+" "+e.Headers.Get("X-Fronted"), "/base/x yes")
	})
	s.want(t, request{host: s.host("beside"), path: "/x"}, http.StatusOK, func(_ *http.Response, e echoed) error {
		return same("path and header", e.Path+" "+e.Headers.Get("X-Fronted"), "/x ")
	})
}

// The upstream of a KongIngress still takes effect, with a diagnostic that names the replacement.
func (s scene) kongIngress(t *testing.T) {
	host := s.host("older")
	s.apply(t, `
apiVersion: configuration.konghq.com/v1
kind: KongIngress
metadata: {name: older}
upstream: {host_header: internal.example}
`, facing("older", "konghq.com/override: older"),
		strings.Replace(annotatedIngress("older", host, "/", "konghq.com/preserve-host: 'false'"), "name: web, port", "name: older, port", 1))
	s.want(t, request{host: host}, http.StatusOK, func(_ *http.Response, e echoed) error {
		return same("host", e.Host, "internal.example:8080")
	})
	wantEvent(t, s.cp, s.ns, "older", "Deprecated")
}
