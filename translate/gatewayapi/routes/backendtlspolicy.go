package routes

import (
	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendref"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendtlspolicy"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// attachPolicies adds the route's Gateways to the statuses of all BackendTLSPolicies that target a
// backend, also of those that do not take precedence. It warns if the effective one is invalid.
func (t *routeTranslation) attachPolicies(rule int, found backendref.Resolution) {
	e := found.Endpoints
	if e.Service == nil {
		return
	}
	if found.Policy != nil && found.Policy.TLS == nil {
		t.warn(unit.Lacking(found.At, found.Policy.Missing), "BackendTLSPolicyInvalid", "rule %d: Service %s/%s gets no requests: %s", rule, e.Service.Namespace, e.Service.Name, found.Policy.Wrong)
	}
	for _, policy := range backendtlspolicy.Of(t.reader, e.Service.Namespace, e.Service.Name) {
		if !backendtlspolicy.Targets(policy, e.Service.Name, "") && !backendtlspolicy.Targets(policy, e.Service.Name, e.ServicePort.Name) {
			continue
		}
		key := unit.BackendTLSPolicy.Of(policy)
		for _, gatewayKey := range t.attachment.gateways {
			t.reader.Attach(unit.Section{Object: key, Target: gatewayKey})
		}
	}
}
