package e2e

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// gatewayAPI returns a cluster with the experimental channel of Gateway API and a class, and a gateway
// for the class.
func gatewayAPI(t *testing.T) (*lab.ControlPlane, *pod.Pod) {
	t.Helper()
	cp := cluster(t)
	gatewayKinds(t, cp)
	gw := gateway(t, cp, map[string]string{"PUBLISH_STATUS_ADDRESS": "192.0.2.9"})
	gw.NeedKong()
	return cp, gw
}

// gatewayKinds installs Gateway API and a class in a cluster.
func gatewayKinds(t *testing.T, cp *lab.ControlPlane) {
	t.Helper()
	cp.MustApplyModule(t, lab.GatewayAPI, lab.GatewayAPIDefinitions)
	cp.MustApply(t, "", kongClass)
}

const kongClass = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: kong}
spec: {controllerName: konghq.com/kic-gateway-controller}
`

const plainGateway = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: same}
spec:
  gatewayClassName: kong
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
`

// deployment returns an app without an Ingress.
func deployment(name string, replicas int) string {
	manifest := app(name, "", replicas)
	return manifest[:strings.LastIndex(manifest, "---")] + "---\n"
}

func httpRoute(name, spec string) string {
	return fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: %s}
spec:
  parentRefs: [{name: same}]
%s
---
`, name, spec)
}

// typed reads an object of Gateway API.
func typed[T any](t *testing.T, cp *lab.ControlPlane, resource, namespace, name string) (*T, error) {
	t.Helper()
	r := schema.GroupVersionResource{Group: gatewayv1.GroupName, Version: "v1", Resource: resource}
	raw, err := cp.Dynamic.Resource(r).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	object := new(T)
	return object, runtime.DefaultUnstructuredConverter.FromUnstructured(raw.Object, object)
}

// wantGateway waits until a Gateway is programmed and its first listener has a number of routes.
func wantGateway(t *testing.T, cp *lab.ControlPlane, namespace, name string, attached int32) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		g, err := typed[gatewayv1.Gateway](t, cp, "gateways", namespace, name)
		if err != nil {
			return err
		}
		s := g.Status
		if !meta.IsStatusConditionTrue(s.Conditions, "Programmed") || len(s.Listeners) == 0 ||
			s.Listeners[0].AttachedRoutes != attached || len(s.Addresses) != 1 || s.Addresses[0].Value != "192.0.2.9" {
			return fmt.Errorf("Gateway %s has the status %+v, want it programmed with %d routes", name, s, attached)
		}
		return nil
	})
}

// wantRoute waits for a condition of a route's first parent.
func wantRoute(t *testing.T, cp *lab.ControlPlane, namespace, name, condition, reason string) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		r, err := typed[gatewayv1.HTTPRoute](t, cp, "httproutes", namespace, name)
		if err != nil {
			return err
		}
		for _, p := range r.Status.Parents {
			if c := meta.FindStatusCondition(p.Conditions, condition); c != nil && c.Reason == reason && c.ObservedGeneration == r.Generation {
				return nil
			}
		}
		return fmt.Errorf("HTTPRoute %s has the parents %+v, want %s because of %s", name, r.Status.Parents, condition, reason)
	})
}

// reply is the request that a backend received, and the answer without its body.
type reply struct {
	*http.Response
	Pod, Protocol, Method, Host, Path, Query string
	Headers                                  http.Header
	// Handshake is the client's part of the backend's handshake.
	Handshake struct {
		ServerName string
		ClientCNs  []string
	} `json:"tls"`
}

// askGateway sends one request. It does not follow redirects.
func askGateway(gw *pod.Pod, method, host, path string, headers ...string) (reply, error) {
	return askAt("http://"+gw.HTTP, method, host, path, headers...)
}

func askAt(origin, method, host, path string, headers ...string) (reply, error) {
	request, err := http.NewRequest(method, origin+path, nil)
	if err != nil {
		return reply{}, err
	}
	request.Host = host
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := (&http.Transport{
		DisableKeepAlives: true,
		// These requests do not verify the certificate.
		TLSClientConfig: &tls.Config{ServerName: host, InsecureSkipVerify: true},
	}).RoundTrip(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	e := reply{Response: response}
	body, err := io.ReadAll(response.Body)
	_ = json.Unmarshal(body, &e)
	return e, err
}

func TestGatewayAPI(t *testing.T) {
	cp, gw := gatewayAPI(t)
	t.Run("Statuses", func(t *testing.T) { testGatewayStatuses(t, cp, gw) })
	t.Run("Grants", func(t *testing.T) { testGrants(t, cp, gw) })
	t.Run("Weights", func(t *testing.T) { testWeights(t, cp, gw) })
	t.Run("Schemes", func(t *testing.T) { testSchemes(t, cp, gw) })
	t.Run("Filters", func(t *testing.T) { testFilters(t, cp, gw) })
	t.Run("Precedence", func(t *testing.T) { testPrecedence(t, cp, gw) })
	t.Run("TLS", func(t *testing.T) { testListenerTLS(t, cp, gw) })
	t.Run("Writes", func(t *testing.T) { testWritesAreFew(t, cp, gw) })
}

// Attached routes are served and counted until they are deleted. Other controllers' entries in a status
// are kept.
func testGatewayStatuses(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	route := httpRoute("web", "  hostnames: ["+host+"]\n  rules: [{backendRefs: [{name: web, port: 80}]}]")
	cp.MustApply(t, ns, plainGateway+deployment("web", 1)+route)
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)
	wantGateway(t, cp, ns, "same", 1)
	wantRoute(t, cp, ns, "web", "Accepted", "Accepted")
	wantRoute(t, cp, ns, "web", "ResolvedRefs", "ResolvedRefs")

	resource := cp.Dynamic.Resource(schema.GroupVersionResource{Group: gatewayv1.GroupName, Version: "v1", Resource: "httproutes"}).Namespace(ns)
	foreign := `[{"op":"add","path":"/status/parents/0","value":{"controllerName":"example.com/other","parentRef":{"name":"theirs"},
		"conditions":[{"type":"Accepted","status":"True","reason":"Accepted","message":"","lastTransitionTime":"2020-01-01T00:00:00Z"}]}}]`
	if _, err := resource.Patch(t.Context(), "web", "application/json-patch+json", []byte(foreign), metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
	cp.MustApply(t, ns, strings.Replace(route, "name: web, port", "name: gone, port", 1))
	wantRoute(t, cp, ns, "web", "ResolvedRefs", "BackendNotFound")
	wantStatus(t, gw.HTTP, host, "/", http.StatusInternalServerError)
	r, err := typed[gatewayv1.HTTPRoute](t, cp, "httproutes", ns, "web")
	if err != nil || len(r.Status.Parents) != 2 || r.Status.Parents[0].ControllerName != "example.com/other" {
		t.Errorf("the other controller's parent is not there any more: %+v, %v", r.Status.Parents, err)
	}
	if err := cp.Delete(t.Context(), ns, route); err != nil {
		t.Fatal(err)
	}
	wantGateway(t, cp, ns, "same", 0)
	wantStatus(t, gw.HTTP, host, "/", http.StatusNotFound)
}

// A backend of another namespace answers as long as a ReferenceGrant permits it.
func testGrants(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns, other := cp.Namespace(t), cp.Namespace(t)
	host := ns + ".example"
	grant := grantTo(ns)
	cp.MustApply(t, other, deployment("web", 1))
	cp.MustApply(t, ns, plainGateway+httpRoute("web", fmt.Sprintf("  hostnames: [%s]\n  rules: [{backendRefs: [{name: web, namespace: %s, port: 80}]}]", host, other)))
	wantRoute(t, cp, ns, "web", "ResolvedRefs", "RefNotPermitted")
	wantStatus(t, gw.HTTP, host, "/", http.StatusInternalServerError)
	cp.MustApply(t, other, grant)
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)
	wantRoute(t, cp, ns, "web", "ResolvedRefs", "ResolvedRefs")
	if err := cp.Delete(t.Context(), other, grant); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, gw.HTTP, host, "/", http.StatusInternalServerError)
}

// grantTo returns a grant for HTTPRoutes of a namespace to refer to Services.
func grantTo(namespace string) string {
	return fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: grant}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: %s}]
  to: [{group: "", kind: Service}]
`, namespace)
}

// Weights are of backends, however many endpoints they have.
func testWeights(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, plainGateway+deployment("one", 1)+deployment("two", 2)+httpRoute("weights", `
  hostnames: [`+host+`]
  rules:
  - {matches: [{path: {value: /exact}}], backendRefs: [{name: one, port: 80, weight: 60}, {name: two, port: 80, weight: 40}]}
  - {matches: [{path: {value: /broken}}], backendRefs: [{name: one, port: 80, weight: 3}, {name: gone, port: 80, weight: 1}]}
`))
	eventually.Nil(t, time.Minute, func() error {
		e, err := askGateway(gw, "GET", host, "/exact")
		if err == nil && !strings.HasPrefix(e.Pod, "two") {
			err = fmt.Errorf("%d from %q", e.StatusCode, e.Pod)
		}
		return err
	})
	wantAllPods(t, gw, host, "/exact", 3)
	const n = 500
	eventually.Nil(t, time.Minute, func() error { // the last endpoint may not be in all workers yet
		shares, statuses := map[string]int{}, map[int]int{}
		for range n {
			e, err := askGateway(gw, "GET", host, "/exact")
			if err != nil {
				return err
			}
			name, _, _ := strings.Cut(e.Pod, "-")
			shares[name]++
			if e, err = askGateway(gw, "GET", host, "/broken"); err != nil {
				return err
			}
			statuses[e.StatusCode]++
		}
		t.Logf("of %d requests: %v, and %v", n, shares, statuses)
		if one := shares["one"]; one < 290 || one > 310 {
			return fmt.Errorf("a backend with 60 of 100 got %d of %d requests", one, n)
		}
		if broken := statuses[500]; broken < 80 || broken > 170 {
			return fmt.Errorf("a quarter of the requests is to fail, %d of %d did", broken, n)
		}
		return nil
	})
}

// Redirects, rewrites and headers follow the specification. None of their values is a template.
func testFilters(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	backend := "backendRefs: [{name: web, port: 80}]"
	cp.MustApply(t, ns, plainGateway+deployment("web", 1)+httpRoute("filters", `
  hostnames: [`+host+`]
  rules:
  - {`+backend+`}
  - {matches: [{path: {value: /scheme}}], filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}
  - {matches: [{path: {value: /host}}], filters: [{type: RequestRedirect, requestRedirect: {hostname: example.org, port: 8080, statusCode: 308}}]}
  - {matches: [{path: {value: /old}}], filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /new/}, statusCode: 301}}]}
  - {matches: [{path: {value: /full}}], filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: "/$(1+1)"}}}]}
  - {matches: [{path: {value: /strip}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}], `+backend+`}
  - {matches: [{path: {value: /whole}}], filters: [{type: URLRewrite, urlRewrite: {hostname: rewritten.example, path: {type: ReplaceFullPath, replaceFullPath: /else}}}], `+backend+`}
  - matches: [{path: {value: /headers}}]
    filters:
    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-Set, value: "$(headers.host)"}], add: [{name: X-Add, value: b}], remove: [X-Remove]}}
    - {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: X-Answer, value: c}], remove: [Content-Type]}}
    `+backend+`
`))
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)
	for path, want := range map[string]string{
		"/scheme/a?b=c": "302 https://" + host + "/scheme/a?b=c",
		"/host/a":       "308 http://example.org:8080/host/a",
		"/old":          "301 http://" + host + "/new",
		"/old/a%20b/":   "301 http://" + host + "/new/a%20b/",
		"/full/a":       "302 http://" + host + "/$(1+1)",
	} {
		e, err := askGateway(gw, "GET", host, path)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(e.StatusCode, " ", e.Header.Get("Location")); got != want {
			t.Errorf("%s answers %s, want %s", path, got, want)
		}
	}
	for path, want := range map[string]string{
		"/strip":         host + " / ",
		"/strip/a%20b?q": host + " /a%20b q",
		"/whole/a":       "rewritten.example /else ",
	} {
		e, err := askGateway(gw, "GET", host, path)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Host + " " + e.Path + " " + e.Query; got != want {
			t.Errorf("of %s the backend sees %q, want %q", path, got, want)
		}
	}
	e, err := askGateway(gw, "GET", host, "/headers", "X-Set", "a", "X-Add", "a", "X-Remove", "a")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(e.Headers["X-Set"], e.Headers["X-Add"], e.Headers["X-Remove"], e.Header["X-Answer"], e.Header["Content-Type"]),
		"[$(headers.host)] [a b] [] [c] []"; got != want {
		t.Errorf("the headers are %s, want %s", got, want)
	}
}

// Of matches of the same rank, that of the older route takes precedence, whatever their names.
func testPrecedence(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	rule := func(match, backend string) string {
		return "  hostnames: [" + host + "]\n  rules: [{matches: [" + match + "], backendRefs: [{name: " + backend + ", port: 80}]}]"
	}
	cp.MustApply(t, ns, plainGateway+deployment("one", 1)+deployment("two", 1))
	cp.MustApply(t, ns, httpRoute("z-old", rule("{headers: [{name: color, value: red}]}", "one")))
	nextSecond()
	cp.MustApply(t, ns, httpRoute("a-young", rule("{headers: [{name: shape, value: round}]}", "two"))+
		httpRoute("method", rule("{method: POST}", "two"))+httpRoute("any", rule("{path: {value: /}}", "two")))
	ready(t, cp, ns, 2)
	want := func(method, pod string, headers ...string) {
		t.Helper()
		eventually.Nil(t, time.Minute, func() error {
			e, err := askGateway(gw, method, host, "/", headers...)
			if err == nil && !strings.HasPrefix(e.Pod, pod+"-") {
				err = fmt.Errorf("%s with %v is answered %d by %q, want %s", method, headers, e.StatusCode, e.Pod, pod)
			}
			return err
		})
	}
	want("GET", "two")
	want("GET", "two", "shape", "round")
	want("GET", "one", "color", "red", "shape", "round")
	want("POST", "two", "color", "red")
	if err := cp.Delete(t.Context(), ns, httpRoute("z-old", rule("{headers: [{name: color, value: red}]}", "one"))); err != nil {
		t.Fatal(err)
	}
	want("GET", "two", "color", "red", "shape", "round")
}

// A listener's certificate is served for its host. Plain requests do not reach routes that are attached to
// this listener only.
func testListenerTLS(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	key := keyPair(host)
	cp.MustApply(t, ns, key.secret("cert")+"---"+strings.Replace(plainGateway, "[{name: http, port: 80, protocol: HTTP}]",
		"[{name: https, port: 443, protocol: HTTPS, hostname: "+host+", tls: {certificateRefs: [{name: cert}]}}]", 1)+
		deployment("web", 1)+httpRoute("web", "  rules: [{backendRefs: [{name: web, port: 80}]}]"))
	wantGateway(t, cp, ns, "same", 1)
	wantCertificate(t, gw.HTTPS, host, key)
	wantStatus(t, gw.HTTP, host, "/", http.StatusNotFound)
}

// A status is written only when it changes.
func testWritesAreFew(t *testing.T, cp *lab.ControlPlane, _ *pod.Pod) {
	ns := cp.Namespace(t)
	cp.MustApply(t, ns, plainGateway)
	wantGateway(t, cp, ns, "same", 0)
	version := func() string {
		g, err := typed[gatewayv1.Gateway](t, cp, "gateways", ns, "same")
		if err != nil {
			t.Fatal(err)
		}
		return g.ResourceVersion
	}
	before := version()
	cp.MustApply(t, ns, strings.Replace(plainGateway, "{name: same}", "{name: other}", 1))
	wantGateway(t, cp, ns, "other", 0)
	time.Sleep(time.Second)
	if after := version(); after != before {
		t.Errorf("the Gateway was written again: version %s after %s", after, before)
	}
}
