package kinds

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/experimental"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// gatewayAPI are the kinds of Gateway API, in the versions that its releases from 1.1 on
// serve. Their statuses are cached because the status writer compares with them.
var gatewayAPI = []Kind{
	{
		Name:     unit.GatewayClass,
		Resource: gatewayv1.SchemeGroupVersion.WithResource("gatewayclasses"),
		Custom:   true,
		New:      created[gatewayv1.GatewayClass](),
		Unread:   on(func(c *gatewayv1.GatewayClass) { c.Status = gatewayv1.GatewayClassStatus{} }),
	}, {
		Name:       unit.Gateway,
		Resource:   gatewayv1.SchemeGroupVersion.WithResource("gateways"),
		Namespaced: true,
		Custom:     true,
		New:        created[gatewayv1.Gateway](),
		Convert:    convertGateway,
		Complete:   completeListeners,
		Unread:     on(func(g *gatewayv1.Gateway) { g.Status = gatewayv1.GatewayStatus{} }),
	}, {
		Name:       unit.ListenerSet,
		Resource:   gatewayv1.SchemeGroupVersion.WithResource("listenersets"),
		Namespaced: true,
		Custom:     true,
		New:        created[gatewayv1.ListenerSet](),
		Unread:     on(func(s *gatewayv1.ListenerSet) { s.Status = gatewayv1.ListenerSetStatus{} }),
	}, {
		Name:       unit.XListenerSet,
		Resource:   experimental.GroupVersion.WithResource("xlistenersets"),
		Namespaced: true,
		Custom:     true,
		New:        created[experimental.XListenerSet](),
		Convert:    convertXListenerSet,
		Complete:   completeXListenerSet,
		Unread:     on(func(s *experimental.XListenerSet) { s.Status = gatewayv1.ListenerSetStatus{} }),
	}, {
		Name:       unit.HTTPRoute,
		Resource:   gatewayv1.SchemeGroupVersion.WithResource("httproutes"),
		Namespaced: true,
		Custom:     true,
		New:        created[gatewayv1.HTTPRoute](),
		Ignored:    ignoredOfRoute,
		Unread:     on(func(r *gatewayv1.HTTPRoute) { r.Status = gatewayv1.HTTPRouteStatus{} }),
	}, {
		Name:       unit.GRPCRoute,
		Resource:   gatewayv1.SchemeGroupVersion.WithResource("grpcroutes"),
		Older:      []string{"v1alpha2"},
		Namespaced: true,
		Custom:     true,
		New:        created[gatewayv1.GRPCRoute](),
		Ignored:    ignoredOfRoute,
		Unread:     on(func(r *gatewayv1.GRPCRoute) { r.Status = gatewayv1.GRPCRouteStatus{} }),
	}, {
		Name:       unit.TLSRoute,
		Resource:   gatewayv1.SchemeGroupVersion.WithResource("tlsroutes"),
		Older:      []string{"v1alpha3", "v1alpha2"},
		Namespaced: true,
		Custom:     true,
		New:        created[gatewayv1.TLSRoute](),
		Unread:     on(func(r *gatewayv1.TLSRoute) { r.Status = gatewayv1.TLSRouteStatus{} }),
	}, {
		Name:       unit.TCPRoute,
		Resource:   gatewayv1.SchemeGroupVersion.WithResource("tcproutes"),
		Older:      []string{"v1alpha2"},
		Namespaced: true,
		Custom:     true,
		New:        created[gatewayv1.TCPRoute](),
		Unread:     on(func(r *gatewayv1.TCPRoute) { r.Status = gatewayv1.TCPRouteStatus{} }),
	}, {
		Name:       unit.UDPRoute,
		Resource:   gatewayv1.SchemeGroupVersion.WithResource("udproutes"),
		Older:      []string{"v1alpha2"},
		Namespaced: true,
		Custom:     true,
		New:        created[gatewayv1.UDPRoute](),
		Unread:     on(func(r *gatewayv1.UDPRoute) { r.Status = gatewayv1.UDPRouteStatus{} }),
	}, {
		Name:       unit.ReferenceGrant,
		Resource:   gatewayv1.SchemeGroupVersion.WithResource("referencegrants"),
		Older:      []string{"v1beta1"},
		Namespaced: true,
		Custom:     true,
		New:        created[gatewayv1.ReferenceGrant](),
	}, {
		Name:       unit.BackendTLSPolicy,
		Resource:   gatewayv1.SchemeGroupVersion.WithResource("backendtlspolicies"),
		Older:      []string{"v1alpha3"},
		Namespaced: true,
		Custom:     true,
		New:        created[gatewayv1.BackendTLSPolicy](),
		Unread:     on(func(p *gatewayv1.BackendTLSPolicy) { p.Status = gatewayv1.PolicyStatus{} }),
	},
}
