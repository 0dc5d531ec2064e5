package backendref

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// ruleOf returns a rule of a route; nil if the route no longer has it.
func ruleOf(object unit.Object, i int) *gatewayv1.HTTPRouteRule {
	switch object := object.(type) {
	case *gatewayv1.HTTPRoute:
		if i < len(object.Spec.Rules) {
			return &object.Spec.Rules[i]
		}
	case *gatewayv1.GRPCRoute:
		if i < len(object.Spec.Rules) {
			return HTTPRuleOf(object.Spec.Rules[i])
		}
	}
	return nil
}

// backendRefs returns the references of a rule.
func backendRefs(rule *gatewayv1.HTTPRouteRule) []gatewayv1.BackendRef {
	refs := make([]gatewayv1.BackendRef, len(rule.BackendRefs))
	for i, ref := range rule.BackendRefs {
		refs[i] = ref.BackendRef
	}
	return refs
}

// RuleField returns the path of a rule.
func RuleField(i int) field.Path { return field.Spec.Child("rules").Index(i) }

// HTTPRuleOf converts a rule of a GRPCRoute, without its matches, to a rule of an HTTPRoute.
func HTTPRuleOf(rule gatewayv1.GRPCRouteRule) *gatewayv1.HTTPRouteRule {
	as := &gatewayv1.HTTPRouteRule{
		Name: rule.Name, Filters: httpFilters(rule.Filters), SessionPersistence: rule.SessionPersistence,
	}
	for _, ref := range rule.BackendRefs {
		as.BackendRefs = append(as.BackendRefs, gatewayv1.HTTPBackendRef{BackendRef: ref.BackendRef, Filters: httpFilters(ref.Filters)})
	}
	return as
}

func httpFilters(filters []gatewayv1.GRPCRouteFilter) []gatewayv1.HTTPRouteFilter {
	var as []gatewayv1.HTTPRouteFilter
	for _, f := range filters {
		as = append(as, gatewayv1.HTTPRouteFilter{
			Type:                   gatewayv1.HTTPRouteFilterType(f.Type),
			RequestHeaderModifier:  f.RequestHeaderModifier,
			ResponseHeaderModifier: f.ResponseHeaderModifier,
			RequestMirror:          f.RequestMirror,
			ExtensionRef:           f.ExtensionRef,
		})
	}
	return as
}

// Stream is a stream route of any kind.
type Stream struct {
	Common    gatewayv1.CommonRouteSpec
	Hostnames []gatewayv1.Hostname // only of a TLSRoute
	Rules     []StreamRule
}

// StreamRule is a rule of a stream route.
type StreamRule struct {
	Name     *gatewayv1.SectionName
	backends []gatewayv1.BackendRef
}

// StreamOf converts a TLSRoute, TCPRoute or UDPRoute; it is false for other objects.
func StreamOf(object unit.Object) (s Stream, ok bool) {
	switch object := object.(type) {
	case *gatewayv1.TLSRoute:
		s.Common, s.Hostnames = object.Spec.CommonRouteSpec, object.Spec.Hostnames
		for _, rule := range object.Spec.Rules {
			s.Rules = append(s.Rules, StreamRule{rule.Name, rule.BackendRefs})
		}
	case *gatewayv1.TCPRoute:
		s.Common = object.Spec.CommonRouteSpec
		for _, rule := range object.Spec.Rules {
			s.Rules = append(s.Rules, StreamRule{rule.Name, rule.BackendRefs})
		}
	case *gatewayv1.UDPRoute:
		s.Common = object.Spec.CommonRouteSpec
		for _, rule := range object.Spec.Rules {
			s.Rules = append(s.Rules, StreamRule{rule.Name, rule.BackendRefs})
		}
	default:
		return s, false
	}
	return s, true
}
