package routes

import (
	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendref"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendtlspolicy"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// attachPolicies tells the statuses of a backend's policies about the Gateways of a route, also of
// those without effect because others take precedence. Users of the route are told of one that
// keeps requests from the backend.
func (t *routeTranslation) attachPolicies(rule int, found backendref.Resolution) {
	e := found.Endpoints
	if e.Service == nil {
		return
	}
	if found.Policy != nil && found.Policy.TLS == nil {
		t.warn(unit.Lacking(found.At, found.Policy.Missing), "BackendTLSPolicyInvalid", "rule %d: nothing is sent to Service %s/%s: %s", rule, e.Service.Namespace, e.Service.Name, found.Policy.Wrong)
	}
	for _, policy := range backendtlspolicy.Of(t.reader, e.Service.Namespace, e.Service.Name) {
		if !backendtlspolicy.Targets(policy, e.Service.Name, "") && !backendtlspolicy.Targets(policy, e.Service.Name, e.ServicePort.Name) {
			continue
		}
		key := unit.BackendTLSPolicy.Of(policy)
		for _, gw := range t.attachment.gateways {
			t.reader.Attach(unit.Section{Object: key, Name: gw.Namespace + "/" + gw.Name})
		}
	}
}
