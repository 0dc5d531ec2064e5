package explain_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/explain"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

const manifests = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: kong
  rules:
  - host: shop.example
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
      - {path: /cart, pathType: Exact, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: keyed, namespace: shop, annotations: {konghq.com/plugins: "key, office, quick"}}
spec: {ingressClassName: kong, rules: [{host: keyed.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: key, namespace: shop}
plugin: key-auth
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: office, namespace: shop}
plugin: ip-restriction
config: {allow: [192.0.2.0/24]}
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: quick, namespace: shop}
plugin: rate-limiting
config: {minute: 5}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: own}
spec: {controllerName: konghq.com/kic-gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  gatewayClassName: own
  listeners:
  - {name: http, port: 80, protocol: HTTP}
  - {name: tcp, port: 5432, protocol: TCP}
  - {name: tls, port: 8443, protocol: TLS, hostname: "*.db.example", tls: {mode: Passthrough}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: api, namespace: shop}
spec:
  parentRefs: [{name: gw}]
  hostnames: [api.example]
  rules:
  - matches: [{path: {value: /v2}}]
    filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 301}}]
  - backendRefs: [{name: web, port: 80, weight: 3}, {name: gone, port: 80, weight: 1}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: db, namespace: shop}
spec: {parentRefs: [{name: gw, sectionName: tcp}], rules: [{backendRefs: [{name: web, port: 80}]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: db, namespace: shop}
spec: {parentRefs: [{name: gw, sectionName: tls}], hostnames: [a.db.example], rules: [{backendRefs: [{name: web, port: 80}]}]}
---
apiVersion: configuration.konghq.com/v1beta1
kind: UDPIngress
metadata: {name: dns, namespace: shop, annotations: {kubernetes.io/ingress.class: kong}}
spec: {rules: [{port: 5353, backend: {serviceName: web, servicePort: 80}}]}
`

func graphOf(t testing.TB, text string) *unit.Graph {
	t.Helper()
	read, err := manifest.Read("input.yaml", strings.NewReader(text), kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	o := translate.Options{IngressClass: "kong"}
	o.Gateway.AnyPort = true
	o.Gateway.Pool = gatewayapi.Pool{gatewayv1.HTTPProtocolType: {20000, 20001}, gatewayv1.TCPProtocolType: {20010, 20011}, gatewayv1.TLSProtocolType: {20020, 20021}}
	g := translate.New(o)
	for _, m := range read.Objects {
		g.Update(unit.Change{Key: m.Key, Object: m.Object})
	}
	return g
}

func ask(t testing.TB, url string) explain.Request {
	t.Helper()
	r, err := explain.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// summary returns an answer in one line: the route's object and field, the status with the plugin that
// answers, and the endpoints.
func summary(a explain.Answer) string {
	var b strings.Builder
	if a.Listener != nil {
		fmt.Fprintf(&b, "%s:%d→%d ", a.Listener.Name, a.Listener.Port, a.Listener.KongPort)
	}
	if a.Route != nil {
		fmt.Fprintf(&b, "%s %s", a.Route.Object, a.Route.Field)
	} else {
		b.WriteString("no route")
	}
	for _, s := range a.Statuses {
		fmt.Fprintf(&b, " %d by %s", s.Code, s.By)
		if !s.Certain {
			b.WriteString(" perhaps")
		}
	}
	for _, backend := range a.Backends {
		fmt.Fprintf(&b, " %.0f%%", backend.Percent)
		for _, e := range backend.Endpoints {
			b.WriteString(" " + e.Address)
		}
	}
	return b.String()
}

func TestExplain(t *testing.T) {
	configuration := explain.New(graphOf(t, manifests))
	const endpoints = " 100% 10.0.0.1:8080 10.0.0.2:8080"
	from := func(address string) func(*explain.Request) {
		return func(r *explain.Request) { r.Source = netip.MustParseAddr(address) }
	}
	key := func(r *explain.Request) { r.Header.Set("apikey", "x") }
	for url, test := range map[string]struct {
		change []func(*explain.Request)
		want   string
	}{
		"http://shop.example/":             {nil, "Ingress shop/web spec.rules[0].http.paths[0]" + endpoints},
		"http://SHOP.example/cart":         {nil, "Ingress shop/web spec.rules[0].http.paths[1]" + endpoints},
		"https://shop.example:8443/%63art": {nil, "Ingress shop/web spec.rules[0].http.paths[1]" + endpoints},
		"http://other.example/":            {nil, "no route 404 by kong"},
		"http://keyed.example/":            {nil, "Ingress shop/keyed spec.rules[0].http.paths[0] 401 by key-auth"},
		"http://keyed.example/?apikey=x":   {[]func(*explain.Request){from("203.0.113.1")}, "Ingress shop/keyed spec.rules[0].http.paths[0] 403 by ip-restriction perhaps"},
		"http://keyed.example/a":           {[]func(*explain.Request){key, from("192.0.2.7")}, "Ingress shop/keyed spec.rules[0].http.paths[0]" + endpoints},
		"http://api.example/v2/x":          {nil, "http:80→20000 HTTPRoute shop/api spec.rules[0].matches[0] 301 by kube-sync-http"},
		"http://api.example/":              {nil, "http:80→20000 HTTPRoute shop/api spec.rules[1].matches[0] 500 by kube-sync-http perhaps 25% 75% 10.0.0.1:8080 10.0.0.2:8080"},
		"tcp://db.example:5432":            {nil, "tcp:5432→20010 TCPRoute shop/db spec.rules[0]" + endpoints},
		"tls://a.db.example:8443":          {nil, "tls:8443→20020 TLSRoute shop/db spec.rules[0]" + endpoints},
		"https://a.db.example:8443/":       {nil, "tls:8443→20020 TLSRoute shop/db spec.rules[0]" + endpoints},
		"tls://b.db.example:8443":          {nil, "tls:8443→20020 no route"},
		"udp://ns.example:5353":            {nil, "UDPIngress shop/dns spec.rules[0].port" + endpoints},
		"udp://ns.example:53":              {nil, "no route"},
	} {
		r := ask(t, url)
		for _, change := range test.change {
			change(&r)
		}
		if got := summary(configuration.Explain(r)); got != test.want {
			t.Errorf("%s:\n%s\nwant:\n%s", url, got, test.want)
		}
	}
}

// What depends on more than the configuration is named.
func TestUnknown(t *testing.T) {
	r := ask(t, "http://keyed.example/")
	r.Header = http.Header{"Apikey": {"x"}}
	unknown := explain.Explain(graphOf(t, manifests), r).Unknown
	for _, want := range []string{"whether the credential for key-auth is valid", "the client's address, which ip-restriction judges (--from)",
		"whether the limit of rate-limiting is reached", "what the backend answers, and which endpoints are healthy"} {
		if !slices.Contains(unknown, want) {
			t.Errorf("%q is not among %q", want, unknown)
		}
	}
}

// A request may arrive at several addresses. The one at which an object answers is explained, and the
// others are named.
func TestOtherAddresses(t *testing.T) {
	a := explain.Explain(graphOf(t, manifests), ask(t, "http://shop.example/"))
	want := "which address the client connects to: at the address of Gateway shop/gw (listener http), no route takes the request"
	if !slices.Contains(a.Unknown, want) {
		t.Errorf("unknown: %q", a.Unknown)
	}
}

func TestNear(t *testing.T) {
	a := explain.Explain(graphOf(t, manifests), ask(t, "http://shop.example/cart"))
	if len(a.Near) != 1 || !a.Near[0].Matches || a.Near[0].Lost != "path" || a.Near[0].Why != "an exact path comes before a path that is not exact" {
		t.Errorf("near: %+v", a.Near)
	}
	a = explain.Explain(graphOf(t, manifests), ask(t, "http://shopp.example/"))
	if len(a.Near) == 0 || a.Near[0].Lost != "host" || a.Near[0].Why != `the host is "shopp.example", and the route needs "shop.example"` {
		t.Errorf("near: %+v", a.Near)
	}
}

func TestParse(t *testing.T) {
	for url, want := range map[string]string{
		"shop.example/a":  "http shop.example 80 /a ",
		"https://A:444/b": "https A 444 /b A",
		"tls://a.example": "tls a.example 443  a.example",
		"https://[::1]/":  "https ::1 443 / ",
	} {
		r := ask(t, url)
		if got := fmt.Sprint(r.Scheme, " ", r.Host, " ", r.Port, " ", r.Path, " ", r.SNI); got != want {
			t.Errorf("%s is %q, want %q", url, got, want)
		}
	}
	for _, url := range []string{"ftp://a/", "tcp://a", "http:///a", "http://a:99999/", "http://a b/"} {
		if r, err := explain.Parse(url); err == nil {
			t.Errorf("%s is %+v", url, r)
		}
	}
}

// BenchmarkExplain explains one request with a configuration of 10 000 routes that is already built.
func BenchmarkExplain(b *testing.B) {
	const routes = 10_000
	var text strings.Builder
	text.WriteString(manifests)
	for i := range routes {
		fmt.Fprintf(&text, `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i%[1]d, namespace: shop}
spec: {ingressClassName: kong, rules: [{host: h%[1]d.example, http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
`, i)
	}
	graph := graphOf(b, text.String())
	for _, url := range []string{"http://h5000.example/a/b", "http://h500.exampel/a", "http://h5000.example/b"} {
		b.Run(url, func(b *testing.B) {
			r := ask(b, url)
			for b.Loop() {
				explain.Explain(graph, r)
			}
		})
	}
}
