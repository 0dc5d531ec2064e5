package backend

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Endpoints are the endpoints of a Service's port, for an upstream that several backends share.
type Endpoints struct {
	// Service is nil if it does not exist.
	Service     *corev1.Service
	ServicePort corev1.ServicePort
	Targets     []route.Target
	unit.Unavailable
	// WrongPort is whether the Service does not have the port.
	WrongPort bool
	// Verdicts are on the objects whose endpoints are not used.
	Verdicts []unit.Verdict
}

// Endpoints returns the endpoints that a reference names.
func (o Options) Endpoints(r *unit.Reader, ref Ref) Endpoints {
	key := unit.Service.Key(ref.Namespace, ref.Service)
	service, ok := unit.Get[*corev1.Service](r, key)
	if !ok {
		return Endpoints{Unavailable: unit.NotFound(ServiceNotFound, key)}
	}
	resolved := o.targets(r, ref, service)
	found := Endpoints{Service: service, Targets: resolved.targets, Verdicts: resolved.verdicts, WrongPort: resolved.problem.port,
		Unavailable: unit.Unavailable{Reason: resolved.problem.reason, Message: resolved.problem.message}}
	found.ServicePort, _ = servicePort(service, ref)
	return found
}

// ServiceNotFound is the reason of a reference to a Service that does not exist.
const ServiceNotFound = "ServiceNotFound"
