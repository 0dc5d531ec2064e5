package gatewayapi

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// class translates a GatewayClass. Its value is true if it is ours.
func (o Options) class(id unit.ID, r *unit.Reader) unit.Fragment {
	class, ok := unit.Get[*gatewayv1.GatewayClass](r, unit.Key{Kind: unit.GatewayClass, Name: id.Name})
	if !ok || string(class.Spec.ControllerName) != o.Controller {
		return unit.Fragment{Value: false}
	}
	if class.Spec.ParametersRef != nil {
		return unit.Fragment{Value: false, Status: newClassStatus(class, classInvalidParameters())}
	}
	return unit.Fragment{Value: true, Status: newClassStatus(class, classAccepted())}
}

// ours tells whether a Gateway is for us to serve.
func (o Options) ours(r *unit.Reader, gateway *gatewayv1.Gateway) bool {
	if o.Gateway.Name != "" && (gateway.Name != o.Gateway.Name || gateway.Namespace != o.Gateway.Namespace) {
		return false
	}
	ours, _ := r.Use(unit.ID{Role: classRole, Name: string(gateway.Spec.GatewayClassName)}).(bool)
	return ours
}
