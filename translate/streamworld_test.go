package translate_test

import (
	"fmt"

	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// streamRoute returns a stream route of a random kind, or a TCPIngress.
func (w *world) streamRoute(name string) unit.Object {
	m := meta(name)
	m.CreationTimestamp = metav1.Unix(int64(1000+w.IntN(3)), 0)
	if w.IntN(4) == 0 {
		m.Annotations = map[string]string{"konghq.com/plugins": "o0", "kubernetes.io/ingress.class": "kong"}
	}
	common := gatewayv1.CommonRouteSpec{ParentRefs: w.parents()}
	switch w.IntN(5) {
	case 0:
		m.Annotations = map[string]string{"kubernetes.io/ingress.class": "kong"}
		return &configurationv1beta1.TCPIngress{ObjectMeta: m, Spec: configurationv1beta1.TCPIngressSpec{Rules: []configurationv1beta1.IngressRule{{
			Host: pick(w, "", "a.example"), Port: pick(w, 443, 8080),
			Backend: configurationv1beta1.IngressBackend{ServiceName: fmt.Sprint("o", w.IntN(4)), ServicePort: 80}}}}}
	case 1:
		return &gatewayv1.TCPRoute{ObjectMeta: m, Spec: gatewayv1.TCPRouteSpec{CommonRouteSpec: common,
			Rules: []gatewayv1.TCPRouteRule{{BackendRefs: w.backendRefs()}}}}
	case 2:
		return &gatewayv1.UDPRoute{ObjectMeta: m, Spec: gatewayv1.UDPRouteSpec{CommonRouteSpec: common,
			Rules: []gatewayv1.UDPRouteRule{{BackendRefs: w.backendRefs()}}}}
	}
	return &gatewayv1.TLSRoute{ObjectMeta: m, Spec: gatewayv1.TLSRouteSpec{CommonRouteSpec: common,
		Hostnames: pick(w, []gatewayv1.Hostname{"a.example"}, []gatewayv1.Hostname{"*.example", "b.a.example"}),
		Rules:     []gatewayv1.TLSRouteRule{{BackendRefs: w.backendRefs()}}}}
}

func (w *world) backendRefs() (refs []gatewayv1.BackendRef) {
	for range w.IntN(3) {
		port, other, weight := int32(80), gatewayv1.Namespace("other"), int32(w.IntN(3))
		ref := gatewayv1.BackendRef{Weight: &weight}
		ref.Name, ref.Port, ref.Namespace = gatewayv1.ObjectName(fmt.Sprint("o", w.IntN(4))), &port, pick(w, nil, nil, &other)
		refs = append(refs, ref)
	}
	return refs
}

// streamListener changes a listener to a stream protocol.
func (w *world) streamListener(l *gatewayv1.Listener) {
	l.Port, l.TLS = pick[int32](w, 443, 8080), nil
	l.Protocol = pick(w, gatewayv1.TLSProtocolType, gatewayv1.TLSProtocolType, gatewayv1.TCPProtocolType, gatewayv1.UDPProtocolType)
	if l.Protocol != gatewayv1.TLSProtocolType {
		l.Hostname = nil
		return
	}
	mode := pick(w, gatewayv1.TLSModePassthrough, gatewayv1.TLSModeTerminate)
	l.TLS = &gatewayv1.ListenerTLSConfig{Mode: &mode, CertificateRefs: []gatewayv1.SecretObjectReference{{Name: gatewayv1.ObjectName(fmt.Sprint("o", w.IntN(4)))}}}
}
