package anything

import (
	"fmt"
	"slices"
	"strings"
	"time"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// The hosts and paths of [Traffic], which overlap in many ways.
var (
	TrafficHosts = []string{"a.example", "b.example", "x.a.example", "*.a.example", "*.example", ""}
	TrafficPaths = []string{"/", "/a", "/a/", "/a/b", "/ab", "/a%20b", "/A", "/a/b/c"}
)

// trafficPlugins are plugins with a valid configuration, by name.
var trafficPlugins = []struct{ plugin, config string }{
	{"key-auth", `{}`}, {"key-auth", `{"key_names":["k"],"key_in_query":false}`}, {"basic-auth", `{}`}, {"jwt", `{}`},
	{"request-termination", `{"status_code":418,"message":"tea"}`}, {"request-termination", `{"trigger":"x-stop"}`},
	{"ip-restriction", `{"allow":["127.0.0.0/8"]}`}, {"ip-restriction", `{"deny":["127.0.0.1"],"status":451}`},
	{"response-transformer", `{"add":{"headers":["x-b:1"]}}`}, {"request-transformer", `{"add":{"headers":["x-c:1"]}}`},
	{"rate-limiting", `{"minute":1000000,"policy":"local"}`}, {"cors", `{}`}, {"correlation-id", `{}`}, {"acl", `{"allow":["staff"]}`},
	{"redirect", `{"location":"http://elsewhere.example","status_code":302}`}, {"hmac-auth", `{}`}, {"request-size-limiting", `{"allowed_payload_size":1}`},
	{"bot-detection", `{}`}, {"session", `{"secret":"s"}`},
}

// Traffic returns valid objects whose routes overlap, with plugins of all scopes: Ingresses,
// HTTPRoutes and GRPCRoutes at a shared Gateway and at one of a class of its own. Endpoints are never
// connected to.
func Traffic(from []byte) []unit.Change {
	d := &draw{from}
	t := traffic{draw: d}
	t.addShared()
	for i := range 3 + d.below(6) {
		t.add(unit.Ingress, fmt.Sprint("i", i), t.ingress())
	}
	for i := range 2 + d.below(6) {
		t.add(unit.HTTPRoute, fmt.Sprint("h", i), t.httpRoute())
	}
	for i := range d.below(3) {
		t.add(unit.GRPCRoute, fmt.Sprint("g", i), t.grpcRoute())
	}
	return t.changes
}

type traffic struct {
	*draw
	changes []unit.Change
}

// add adds an object with a random age and random annotations.
func (t *traffic) add(kind unit.Kind, name string, object unit.Object) {
	object.SetName(name)
	if kind != unit.GatewayClass && kind != unit.KongClusterPlugin {
		object.SetNamespace("default")
	}
	object.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-b000-%012x", len(t.changes))))
	object.SetCreationTimestamp(metav1.NewTime(time.Unix(int64(2000000000+t.below(3)), 0).UTC()))
	t.changes = append(t.changes, unit.Change{Key: kind.Of(object), Object: object})
}

// addShared adds what routes refer to.
func (t *traffic) addShared() {
	for i := range 4 {
		service := &corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}}}}
		service.Annotations = t.plugged(3)
		t.add(unit.Service, fmt.Sprint("s", i), service)
		if i == 3 {
			continue // without endpoints
		}
		name, port := "http", int32(8080)
		slice := &discoveryv1.EndpointSlice{Ports: []discoveryv1.EndpointPort{{Name: &name, Port: &port}}}
		for j := range 1 + t.below(2) {
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{fmt.Sprintf("10.9.%d.%d", i, j)}})
		}
		slice.Labels = map[string]string{discoveryv1.LabelServiceName: fmt.Sprint("s", i)}
		t.add(unit.EndpointSlice, fmt.Sprint("s", i), slice)
	}
	// Few plugins, so that several scopes have the same one.
	first := t.below(len(trafficPlugins) - 4)
	few := trafficPlugins[first : first+5]
	for i := range 5 {
		chosen := pick(t.draw, few...)
		t.add(unit.KongPlugin, fmt.Sprint("p", i), &configurationv1.KongPlugin{PluginName: chosen.plugin, Config: apiextensionsv1.JSON{Raw: []byte(chosen.config)}})
	}
	if t.below(2) == 0 {
		chosen := pick(t.draw, few...)
		global := &configurationv1.KongClusterPlugin{PluginName: chosen.plugin, Config: apiextensionsv1.JSON{Raw: []byte(chosen.config)}}
		global.Labels, global.Annotations = map[string]string{"global": "true"}, map[string]string{"kubernetes.io/ingress.class": "kong"}
		t.add(unit.KongClusterPlugin, "global", global)
	}
	t.addGateways()
}

func (t *traffic) addGateways() {
	for _, name := range []string{"shared", "own"} {
		class := &gatewayv1.GatewayClass{Spec: gatewayv1.GatewayClassSpec{ControllerName: "konghq.com/kic-gateway-controller"}}
		if name == "shared" {
			class.Annotations = map[string]string{"konghq.com/gatewayclass-unmanaged": "true"}
		}
		t.add(unit.GatewayClass, name, class)
		gateway := &gatewayv1.Gateway{Spec: gatewayv1.GatewaySpec{GatewayClassName: gatewayv1.ObjectName(name), Listeners: []gatewayv1.Listener{
			{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType},
			{Name: "https", Port: 443, Protocol: gatewayv1.HTTPSProtocolType, TLS: &gatewayv1.ListenerTLSConfig{CertificateRefs: []gatewayv1.SecretObjectReference{{Name: "cert"}}}},
		}}}
		for i := range gateway.Spec.Listeners {
			if host := pick(t.draw, "", "", "*.example", "a.example"); host != "" {
				gateway.Spec.Listeners[i].Hostname = new(gatewayv1.Hostname(host))
			}
		}
		if t.below(2) == 0 {
			another := gateway.Spec.Listeners[1]
			another.Name, another.Hostname = "more", new(gatewayv1.Hostname("b.example"))
			gateway.Spec.Listeners = append(gateway.Spec.Listeners, another)
		}
		t.add(unit.Gateway, name, gateway)
	}
	t.add(unit.Secret, "cert", &corev1.Secret{Data: map[string][]byte{"tls.crt": []byte(certPEM), "tls.key": []byte(keyPEM)}})
}

// plugged returns annotations that name plugins, once in n times.
func (t *traffic) plugged(n int) map[string]string {
	all := map[string]string{}
	if t.chance(n) {
		all["konghq.com/plugins"] = pick(t.draw, "p0", "p1", "p2,p3", "p4", "p0,p4")
	}
	return all
}

func (t *traffic) annotated() map[string]string {
	all := t.plugged(2)
	for _, name := range [][]string{
		{"protocols", "https", "http", "http,https"}, {"https-redirect-status-code", "301", "308"}, {"methods", "GET", "POST,PUT"},
		{"headers.x-a", "1", "1,2", "~*^[0-9]$"}, {"snis", "a.example", "b.example"}, {"host-aliases", "c.example", "*.c.example"},
		{"strip-path", "true"}, {"rewrite", "/r"}, {"plugins", "missing"},
	} {
		if t.chance(7) {
			all["konghq.com/"+name[0]] = pick(t.draw, name[1:]...)
		}
	}
	return all
}

func (t *traffic) ingress() *networkingv1.Ingress {
	class, o := "kong", &networkingv1.Ingress{}
	o.Annotations, o.Spec.IngressClassName = t.annotated(), &class
	to := func() networkingv1.IngressBackend {
		return networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: fmt.Sprint("s", t.below(5)), Port: networkingv1.ServiceBackendPort{Number: 80}}}
	}
	for range 1 + t.below(2) {
		rule := networkingv1.IngressRule{Host: pick(t.draw, TrafficHosts...), IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{}}}
		for range 1 + t.below(3) {
			kind, path := pick(t.draw, networkingv1.PathTypePrefix, networkingv1.PathTypeExact, networkingv1.PathTypeImplementationSpecific), pick(t.draw, TrafficPaths...)
			if kind == networkingv1.PathTypeImplementationSpecific && t.below(2) == 0 {
				path = pick(t.draw, "/~/a/[0-9]+", "/~/(a|b)", "/~/a.*$")
			}
			rule.HTTP.Paths = append(rule.HTTP.Paths, networkingv1.HTTPIngressPath{Path: path, PathType: &kind, Backend: to()})
		}
		o.Spec.Rules = append(o.Spec.Rules, rule)
	}
	if t.chance(5) {
		backend := to()
		o.Spec.DefaultBackend = &backend
	}
	return o
}

func (t *traffic) attached(s *gatewayv1.CommonRouteSpec) (hostnames []gatewayv1.Hostname) {
	for _, name := range pick(t.draw, []string{"shared"}, []string{"own"}, []string{"shared", "own"}) {
		s.ParentRefs = append(s.ParentRefs, gatewayv1.ParentReference{Name: gatewayv1.ObjectName(name)})
	}
	if host := pick(t.draw, TrafficHosts...); host != "" {
		hostnames = []gatewayv1.Hostname{gatewayv1.Hostname(host)}
	}
	return hostnames
}

func (t *traffic) backendRefs() (refs []gatewayv1.BackendRef) {
	for range 1 + t.below(2) {
		ref := gatewayv1.BackendRef{Weight: new(int32(pick(t.draw, 1, 1, 3, 0)))}
		ref.Name, ref.Port = gatewayv1.ObjectName(fmt.Sprint("s", t.below(5))), new(gatewayv1.PortNumber(80))
		refs = append(refs, ref)
	}
	return refs
}

func (t *traffic) httpRoute() *gatewayv1.HTTPRoute {
	o := &gatewayv1.HTTPRoute{}
	o.Annotations = t.plugged(2)
	o.Spec.Hostnames = t.attached(&o.Spec.CommonRouteSpec)
	for range 1 + t.below(3) {
		rule := gatewayv1.HTTPRouteRule{Filters: t.filters()}
		for range 1 + t.below(2) {
			rule.Matches = append(rule.Matches, t.match())
		}
		if !slices.ContainsFunc(rule.Filters, func(f gatewayv1.HTTPRouteFilter) bool { return f.RequestRedirect != nil }) {
			for _, ref := range t.backendRefs() {
				rule.BackendRefs = append(rule.BackendRefs, gatewayv1.HTTPBackendRef{BackendRef: ref})
			}
		}
		o.Spec.Rules = append(o.Spec.Rules, rule)
	}
	return o
}

func (t *traffic) match() (m gatewayv1.HTTPRouteMatch) {
	kind, path := pick(t.draw, gatewayv1.PathMatchPathPrefix, gatewayv1.PathMatchExact), pick(t.draw, TrafficPaths...)
	if t.chance(6) {
		kind, path = gatewayv1.PathMatchRegularExpression, pick(t.draw, "/a/[0-9]+", "/(a|b).*")
	}
	m.Path = &gatewayv1.HTTPPathMatch{Type: &kind, Value: &path}
	if t.chance(3) {
		m.Headers = []gatewayv1.HTTPHeaderMatch{{Type: new(gatewayv1.HeaderMatchExact), Name: "X-A", Value: pick(t.draw, "1", "2")}}
	}
	if t.chance(4) {
		m.QueryParams = []gatewayv1.HTTPQueryParamMatch{{Type: new(gatewayv1.QueryParamMatchExact), Name: "q", Value: pick(t.draw, "1", "2")}}
	}
	if t.chance(4) {
		m.Method = new(pick(t.draw, gatewayv1.HTTPMethodGet, gatewayv1.HTTPMethodPost))
	}
	return m
}

func (t *traffic) filters() []gatewayv1.HTTPRouteFilter {
	headers := &gatewayv1.HTTPHeaderFilter{Set: []gatewayv1.HTTPHeader{{Name: "X-D", Value: "1"}}}
	switch t.below(8) {
	case 0:
		return []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterRequestRedirect, RequestRedirect: &gatewayv1.HTTPRequestRedirectFilter{
			Scheme: new("https"), StatusCode: new(pick(t.draw, 301, 302))}}}
	case 1:
		return []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterRequestHeaderModifier, RequestHeaderModifier: headers}}
	case 2:
		return []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterResponseHeaderModifier, ResponseHeaderModifier: headers}}
	case 3:
		return []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterURLRewrite, URLRewrite: &gatewayv1.HTTPURLRewriteFilter{Hostname: new(gatewayv1.PreciseHostname("r.example"))}}}
	case 4:
		mirrored := gatewayv1.BackendObjectReference{Name: "s1", Port: new(gatewayv1.PortNumber(80))}
		return []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterRequestMirror, RequestMirror: &gatewayv1.HTTPRequestMirrorFilter{BackendRef: mirrored}}}
	case 5:
		extension := &gatewayv1.LocalObjectReference{Group: "configuration.konghq.com", Kind: "KongPlugin", Name: gatewayv1.ObjectName(pick(t.draw, "p0", "p1", "missing"))}
		return []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterExtensionRef, ExtensionRef: extension}}
	}
	return nil
}

func (t *traffic) grpcRoute() *gatewayv1.GRPCRoute {
	o := &gatewayv1.GRPCRoute{}
	o.Annotations = t.plugged(3)
	o.Spec.Hostnames = t.attached(&o.Spec.CommonRouteSpec)
	rule := gatewayv1.GRPCRouteRule{}
	if t.below(3) > 0 {
		rule.Matches = []gatewayv1.GRPCRouteMatch{{Method: &gatewayv1.GRPCMethodMatch{Type: new(gatewayv1.GRPCMethodMatchExact), Service: new("a"), Method: new(strings.TrimPrefix(pick(t.draw, "/b", "/c"), "/"))}}}
	}
	for _, ref := range t.backendRefs() {
		rule.BackendRefs = append(rule.BackendRefs, gatewayv1.GRPCBackendRef{BackendRef: ref})
	}
	o.Spec.Rules = []gatewayv1.GRPCRouteRule{rule}
	return o
}
