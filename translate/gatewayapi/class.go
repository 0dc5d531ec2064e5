package gatewayapi

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// unmanagedAnnotation is what says in the Kong Ingress Controller's classes that it, and
// no other, has their Gateways served: by the Service that is there.
const unmanagedAnnotation = "konghq.com/gatewayclass-unmanaged"

// classFound is the value of a GatewayClass's unit.
type classFound struct {
	ours bool
	// pooled gives each Gateway of the class a Service of its own.
	pooled bool
}

// class translates a GatewayClass.
func (o Options) class(id unit.ID, r *unit.Reader) unit.Fragment {
	class, ok := unit.Get[*gatewayv1.GatewayClass](r, unit.Key{Kind: unit.GatewayClass, Name: id.Name})
	if !ok || string(class.Spec.ControllerName) != o.Controller {
		return unit.Fragment{Value: classFound{}}
	}
	if class.Spec.ParametersRef != nil {
		return unit.Fragment{Value: classFound{}, Status: newClassStatus(class, classInvalidParameters())}
	}
	found := classFound{ours: true, pooled: len(o.Pool) > 0 && o.Gateway.Name == "" && class.Annotations[unmanagedAnnotation] == ""}
	return unit.Fragment{Value: found, Status: newClassStatus(class, classAccepted())}
}

// ours tells whether a Gateway is for us to serve, and how.
func (o Options) ours(r *unit.Reader, gateway *gatewayv1.Gateway) classFound {
	if o.Gateway.Name != "" && (gateway.Name != o.Gateway.Name || gateway.Namespace != o.Gateway.Namespace) {
		return classFound{}
	}
	found, _ := r.Use(unit.ID{Role: classRole, Name: string(gateway.Spec.GatewayClassName)}).(classFound)
	return found
}
