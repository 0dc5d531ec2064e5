package translate_test

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// gatewayObject returns a random object of Gateway API, or one that its translation reads.
func (w *world) gatewayObject(name string) unit.Object {
	switch w.IntN(20) {
	case 16, 17, 18, 19:
		return w.streamRoute(name)
	case 13, 14:
		return w.backendTLSPolicy(name)
	case 15:
		return &corev1.ConfigMap{ObjectMeta: meta(name), Data: map[string]string{"ca.crt": pick(w, string(certPEM), "garbage")}}
	case 0:
		return &gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "kong"}, Spec: gatewayv1.GatewayClassSpec{
			ControllerName: gatewayv1.GatewayController(pick(w, gatewayapi.DefaultController, gatewayapi.DefaultController, "example.com/other"))}}
	case 1, 2, 3:
		return w.gateway(name)
	case 11, 12:
		return w.listenerSet(name)
	case 4:
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default", Labels: map[string]string{"team": pick(w, "a", "b")}}}
	case 10:
		return w.gatewayService(name)
	case 5:
		to := gatewayv1.ObjectName(pick(w, name, "o1"))
		return &gatewayv1.ReferenceGrant{ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: name}, Spec: gatewayv1.ReferenceGrantSpec{
			From: []gatewayv1.ReferenceGrantFrom{{Group: gatewayv1.GroupName, Kind: pick[gatewayv1.Kind](w, "HTTPRoute", "TLSRoute"), Namespace: "default"}},
			To:   []gatewayv1.ReferenceGrantTo{{Kind: "Service", Name: pick(w, nil, &to)}}}}
	case 6:
		return w.grpcRoute(name)
	default:
		return w.httpRoute(name)
	}
}

// grpcRoute returns a GRPCRoute with random host names, for conflicts with HTTPRoutes.
func (w *world) grpcRoute(name string) unit.Object {
	r := &gatewayv1.GRPCRoute{ObjectMeta: meta(name)}
	r.CreationTimestamp = metav1.Unix(int64(1000+w.IntN(3)), 0)
	r.Spec.ParentRefs = w.parents()
	r.Spec.Hostnames = pick(w, nil, []gatewayv1.Hostname{"a.example"}, []gatewayv1.Hostname{"*.example", "b.a.example"})
	r.Spec.Rules = []gatewayv1.GRPCRouteRule{{}}
	return r
}

// gatewayService returns the Service of a Gateway, maybe an outdated one, or sometimes one without the
// labels of a Gateway's own.
func (w *world) gatewayService(gateway string) unit.Object {
	s := &corev1.Service{ObjectMeta: meta(gateway + "-kong")}
	if w.IntN(4) > 0 {
		s.Labels = map[string]string{"app.kubernetes.io/managed-by": "kube-sync", gatewayv1.GatewayNameLabelKey: gateway}
	}
	for i := range w.IntN(3) {
		port := pick[int32](w, 80, 8080)
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: fmt.Sprint("http-", port), Port: port,
			TargetPort: intstr.FromInt32(20000 + int32(w.IntN(4)) + int32(i))})
	}
	if w.IntN(2) == 0 {
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.7"}}
	}
	return s
}

func (w *world) gateway(name string) unit.Object {
	g := &gatewayv1.Gateway{ObjectMeta: meta(name), Spec: gatewayv1.GatewaySpec{GatewayClassName: "kong"}}
	g.CreationTimestamp = metav1.Unix(int64(1000+w.IntN(3)), 0)
	if w.IntN(3) > 0 {
		from := pick(w, gatewayv1.NamespacesFromAll, gatewayv1.NamespacesFromSame, gatewayv1.NamespacesFromSelector, gatewayv1.NamespacesFromNone)
		g.Spec.AllowedListeners = &gatewayv1.AllowedListeners{Namespaces: &gatewayv1.ListenerNamespaces{From: &from,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}}}
	}
	g.Spec.Listeners = w.listeners()
	g.Spec.TLS = w.gatewayTLS()
	return g
}

// listenerSet returns a ListenerSet, which may have another namespace than its Gateway.
func (w *world) listenerSet(name string) unit.Object {
	parent := gatewayv1.Namespace("default")
	s := &gatewayv1.ListenerSet{ObjectMeta: meta(name)}
	s.Namespace = pick(w, "default", "default", "other")
	s.CreationTimestamp = metav1.Unix(int64(1000+w.IntN(3)), 0)
	s.Spec.ParentRef = gatewayv1.ParentGatewayReference{Name: gatewayv1.ObjectName(fmt.Sprint("o", w.IntN(2))), Namespace: &parent}
	for _, l := range w.listeners() {
		s.Spec.Listeners = append(s.Spec.Listeners, gatewayv1.ListenerEntry(l))
	}
	return s
}

func (w *world) listeners() (all []gatewayv1.Listener) {
	for i := range 1 + w.IntN(3) {
		l := gatewayv1.Listener{Name: gatewayv1.SectionName(fmt.Sprint("l", i)), Port: pick[int32](w, 80, 80, 8080), Protocol: gatewayv1.HTTPProtocolType}
		if w.IntN(3) == 0 {
			l.Port, l.Protocol = 443, gatewayv1.HTTPSProtocolType
			l.TLS = &gatewayv1.ListenerTLSConfig{CertificateRefs: []gatewayv1.SecretObjectReference{{Name: gatewayv1.ObjectName(fmt.Sprint("o", w.IntN(4)))}}}
		}
		hostname := pick[gatewayv1.Hostname](w, "a.example", "*.example", "*.a.example")
		l.Hostname = pick(w, nil, &hostname)
		if w.IntN(3) == 0 {
			w.streamListener(&l)
		}
		from := pick(w, gatewayv1.NamespacesFromAll, gatewayv1.NamespacesFromSame, gatewayv1.NamespacesFromSelector)
		l.AllowedRoutes = &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: &from,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}}}
		all = append(all, l)
	}
	return all
}

func (w *world) httpRoute(name string) unit.Object {
	r := &gatewayv1.HTTPRoute{ObjectMeta: meta(name)}
	r.CreationTimestamp = metav1.Unix(int64(1000+w.IntN(3)), 0)
	r.Spec.ParentRefs = w.parents()
	r.Spec.Hostnames = pick(w, nil, []gatewayv1.Hostname{"a.example"}, []gatewayv1.Hostname{"*.example", "b.a.example"})
	for range 1 + w.IntN(2) {
		r.Spec.Rules = append(r.Spec.Rules, w.httpRule())
	}
	return r
}

func (w *world) parents() (refs []gatewayv1.ParentReference) {
	for range 1 + w.IntN(2) {
		ref := gatewayv1.ParentReference{Name: gatewayv1.ObjectName(fmt.Sprint("o", w.IntN(4)))}
		section := gatewayv1.SectionName("l1")
		ref.SectionName = pick(w, nil, nil, &section)
		if kind := gatewayv1.Kind("ListenerSet"); w.IntN(3) == 0 {
			other := gatewayv1.Namespace("other")
			ref.Kind, ref.Namespace = &kind, pick(w, nil, nil, &other)
		}
		refs = append(refs, ref)
	}
	return refs
}

func (w *world) httpRule() gatewayv1.HTTPRouteRule {
	var rule gatewayv1.HTTPRouteRule
	for range w.IntN(3) {
		// Headers make matches of one rank, which are ordered by age.
		rule.Matches = append(rule.Matches, gatewayv1.HTTPRouteMatch{Headers: []gatewayv1.HTTPHeaderMatch{{
			Name: pick[gatewayv1.HTTPHeaderName](w, "x", "y", "no token"), Value: "v"}}})
	}
	for range w.IntN(3) {
		port, other := int32(80), gatewayv1.Namespace("other")
		weight := int32(w.IntN(3))
		ref := gatewayv1.HTTPBackendRef{}
		ref.Name, ref.Port, ref.Weight = gatewayv1.ObjectName(fmt.Sprint("o", w.IntN(4))), &port, &weight
		ref.Namespace = pick(w, nil, nil, &other)
		if w.IntN(4) == 0 {
			ref.Filters = []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterURLRewrite, URLRewrite: &gatewayv1.HTTPURLRewriteFilter{}}}
		}
		rule.BackendRefs = append(rule.BackendRefs, ref)
	}
	if w.IntN(4) == 0 {
		rule.Filters = []gatewayv1.HTTPRouteFilter{{Type: pick(w, gatewayv1.HTTPRouteFilterRequestRedirect, gatewayv1.HTTPRouteFilterRequestMirror),
			RequestRedirect: &gatewayv1.HTTPRequestRedirectFilter{}}}
	}
	return rule
}

// gatewayTLS returns a client certificate for backends, validation of clients, both, or neither.
func (w *world) gatewayTLS() *gatewayv1.GatewayTLSConfig {
	far, name := gatewayv1.Namespace("other"), func() gatewayv1.ObjectName { return gatewayv1.ObjectName(fmt.Sprint("o", w.IntN(4))) }
	validation := func() *gatewayv1.FrontendTLSValidation {
		v := &gatewayv1.FrontendTLSValidation{Mode: pick(w, gatewayv1.AllowValidOnly, gatewayv1.AllowInsecureFallback)}
		for range 1 + w.IntN(2) {
			v.CACertificateRefs = append(v.CACertificateRefs, gatewayv1.ObjectReference{
				Kind: pick[gatewayv1.Kind](w, "ConfigMap", "ConfigMap", "Bucket"), Name: name(), Namespace: pick(w, nil, nil, &far)})
		}
		return v
	}
	tls := &gatewayv1.GatewayTLSConfig{}
	if w.IntN(3) == 0 {
		tls.Backend = &gatewayv1.GatewayBackendTLS{ClientCertificateRef: &gatewayv1.SecretObjectReference{Name: name(), Namespace: pick(w, nil, nil, &far)}}
	}
	if w.IntN(3) == 0 {
		tls.Frontend = &gatewayv1.FrontendTLSConfig{}
		tls.Frontend.Default.Validation = pick(w, nil, validation())
		if w.IntN(2) == 0 {
			tls.Frontend.PerPort = []gatewayv1.TLSPortConfig{{Port: 443, TLS: gatewayv1.TLSConfig{Validation: pick(w, nil, validation())}}}
		}
	}
	return tls
}

func (w *world) backendTLSPolicy(name string) unit.Object {
	p := &gatewayv1.BackendTLSPolicy{ObjectMeta: meta(name)}
	p.CreationTimestamp = metav1.Unix(int64(1000+w.IntN(2)), 0)
	for range 1 + w.IntN(2) {
		section := gatewayv1.SectionName("http")
		p.Spec.TargetRefs = append(p.Spec.TargetRefs, gatewayv1.LocalPolicyTargetReferenceWithSectionName{
			LocalPolicyTargetReference: gatewayv1.LocalPolicyTargetReference{Kind: pick[gatewayv1.Kind](w, "Service", "Service", "Bucket"), Name: gatewayv1.ObjectName(fmt.Sprint("o", w.IntN(4)))},
			SectionName:                pick(w, nil, &section)})
	}
	p.Spec.Validation.Hostname = "a.example"
	for range w.IntN(3) {
		p.Spec.Validation.CACertificateRefs = append(p.Spec.Validation.CACertificateRefs, gatewayv1.LocalObjectReference{
			Kind: pick[gatewayv1.Kind](w, "ConfigMap", "Secret", "Bucket"), Name: gatewayv1.ObjectName(fmt.Sprint("o", w.IntN(4)))})
	}
	if len(p.Spec.Validation.CACertificateRefs) == 0 {
		known := pick(w, gatewayv1.WellKnownCACertificatesSystem, "example.com/ours")
		p.Spec.Validation.WellKnownCACertificates = &known
	}
	return p
}
