package anything

import (
	"reflect"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// texts are the usual values of string types.
var texts = map[reflect.Type][]string{}

func ofType[T ~string](values ...T) {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	texts[reflect.TypeFor[T]()] = all
}

func init() {
	ofType[gatewayv1.ObjectName]("o0", "o1", "o2", "gw")
	ofType[gatewayv1.Namespace]("default", "other")
	ofType[gatewayv1.Kind]("Gateway", "Service", "Secret", "ConfigMap", "KongPlugin", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "ListenerSet")
	ofType[gatewayv1.Group]("", "gateway.networking.k8s.io", "configuration.konghq.com")
	ofType[gatewayv1.Hostname]("a.example", "*.example", "b.a.example", "A.example", "x y")
	ofType[gatewayv1.PreciseHostname]("a.example", "b.example")
	ofType[gatewayv1.ProtocolType](gatewayv1.HTTPProtocolType, gatewayv1.HTTPSProtocolType, gatewayv1.TLSProtocolType, gatewayv1.TCPProtocolType, gatewayv1.UDPProtocolType)
	ofType[gatewayv1.PathMatchType](gatewayv1.PathMatchExact, gatewayv1.PathMatchPathPrefix, gatewayv1.PathMatchRegularExpression)
	ofType[gatewayv1.HeaderMatchType](gatewayv1.HeaderMatchExact, gatewayv1.HeaderMatchRegularExpression)
	ofType[gatewayv1.HTTPMethod]("GET", "POST", "get")
	ofType[gatewayv1.HTTPRouteFilterType](gatewayv1.HTTPRouteFilterRequestHeaderModifier, gatewayv1.HTTPRouteFilterResponseHeaderModifier,
		gatewayv1.HTTPRouteFilterRequestRedirect, gatewayv1.HTTPRouteFilterURLRewrite, gatewayv1.HTTPRouteFilterRequestMirror,
		gatewayv1.HTTPRouteFilterCORS, gatewayv1.HTTPRouteFilterExtensionRef)
	ofType[gatewayv1.GRPCRouteFilterType](gatewayv1.GRPCRouteFilterRequestHeaderModifier, gatewayv1.GRPCRouteFilterResponseHeaderModifier,
		gatewayv1.GRPCRouteFilterRequestMirror, gatewayv1.GRPCRouteFilterExtensionRef)
	ofType[gatewayv1.HTTPPathModifierType](gatewayv1.FullPathHTTPPathModifier, gatewayv1.PrefixMatchHTTPPathModifier)
	ofType[gatewayv1.Duration]("1s", "500ms", "0s", "x")
}

// textOf returns a value for a string type.
func (d *draw) textOf(t reflect.Type) string {
	if choices := texts[t]; len(choices) > 0 && d.below(16) > 0 {
		return pick(d, choices...)
	}
	return d.text()
}
