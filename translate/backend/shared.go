package backend

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Endpoints are those of one Service's port, for an upstream that has those of
// others too.
type Endpoints struct {
	// Service is nil if it does not exist.
	Service     *corev1.Service
	ServicePort corev1.ServicePort
	Targets     []route.Target
	unit.Unavailable
	// WrongPort reports that the Service does not have the port.
	WrongPort bool
	// Verdicts are on the objects whose endpoints are left out.
	Verdicts []unit.Verdict
}

// Endpoints reads what a reference stands for.
func (o Options) Endpoints(r *unit.Reader, ref Ref) Endpoints {
	key := unit.Service.Key(ref.Namespace, ref.Service)
	service, ok := unit.Get[*corev1.Service](r, key)
	if !ok {
		return Endpoints{Unavailable: unit.NotFound(ServiceNotFound, key)}
	}
	reached := o.targets(r, ref, service)
	found := Endpoints{Service: service, Targets: reached.targets, Verdicts: reached.verdicts, WrongPort: reached.wrong.port,
		Unavailable: unit.Unavailable{Reason: reached.wrong.reason, Message: reached.wrong.message}}
	found.ServicePort, _ = servicePort(service, ref)
	return found
}

// ServiceNotFound is the reason of a reference to no Service.
const ServiceNotFound = "ServiceNotFound"
