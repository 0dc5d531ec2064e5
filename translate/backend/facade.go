package backend

import (
	"fmt"
	"slices"
	"strconv"

	incubatorv1alpha1 "github.com/kong/kubernetes-configuration/api/incubator/v1alpha1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// The roles of the units of KongServiceFacades: the backend, which exists while an Ingress uses it,
// and the object, which always has a status.
const (
	FacadeRole       unit.Role[Backend]   = "backend-facade"
	facadeObjectRole unit.Role[unit.None] = "facade"
)

func (o Options) defineFacades(g *unit.Graph) {
	plugin.DefineRoute(g, unit.KongServiceFacade, func(r *unit.Reader, object unit.Object) bool {
		return class.Ours(r, object, o.IngressClass)
	})
	unit.Shared(g, FacadeRole, unit.KongServiceFacade, o.translateFacade).OnPanic(func(key unit.Key) Backend {
		return Backend{Service: Ref{Namespace: key.Namespace, Service: key.Name, Purpose: Facade}.name(), Unavailable: unit.Failed(key)}
	})
	unit.Each(g, facadeObjectRole, unit.KongServiceFacade, unit.Valueless(o.facadeObject))
}

// translateFacade makes the backend of a KongServiceFacade: the endpoints of the Service that it
// names, with the settings of the facade's annotations.
func (o Options) translateFacade(r *unit.Reader, key unit.Key) (unit.Fragment, Backend) {
	ref := Ref{Namespace: key.Namespace, Service: key.Name, Purpose: Facade}
	b := route.Backend{Name: ref.name(), Host: ref.host(), Protocol: "http", Port: 80}
	found := Backend{Service: b.Name}
	facade, ok := unit.Get[*incubatorv1alpha1.KongServiceFacade](r, key)
	if !ok {
		found.Unavailable = unit.NotFound("KongServiceFacadeNotFound", key)
		return unit.Fragment{Entities: kong.Backend(b)}, found
	}
	if !class.Ours(r, facade, o.IngressClass) {
		found.Reason, found.Message = "KongServiceFacadeNotOurs", fmt.Sprintf("%s does not have the class %s", key, o.IngressClass)
		return unit.Fragment{Entities: kong.Backend(b)}, found
	}
	values := annotation.Of(facade, key)
	b.Tags = kong.Tags(facade, incubatorv1alpha1.SchemeGroupVersion.WithKind(string(key.Kind)), values.UserTags()...)
	target := Ref{Namespace: key.Namespace, Service: facade.Spec.Backend.Name, Port: strconv.Itoa(int(facade.Spec.Backend.Port))}
	var verdicts []unit.Verdict
	serviceKey := unit.Service.Key(target.Namespace, target.Service)
	service, ok := unit.Get[*corev1.Service](r, serviceKey)
	if !ok {
		found.Reason, found.Message, found.Missing = ServiceNotFound, fmt.Sprintf("%s does not exist", target), serviceKey
	} else {
		resolved := o.targets(r, target, service)
		b.Targets, b.Port, b.Protocol = resolved.targets, resolved.port, target.protocol(service)
		found.Reason, found.Message, found.WrongPort = resolved.problem.reason, resolved.problem.message, resolved.problem.port
		verdicts = resolved.verdicts
	}
	Settings(r, facade, key, Requests, values, &b)
	programmed := condition.Verdict(key, true, condition.ReasonProgrammed, "an Ingress uses it as a backend")
	if found.Reason != "" {
		at := field.NewPath("spec", "backendRef", "name")
		if found.WrongPort {
			at = field.NewPath("spec", "backendRef", "port")
		}
		programmed = condition.Verdict(key, false, condition.ReasonInvalid, found.Message).With(unit.Lacking(at, found.Missing))
	}
	return unit.Fragment{
		Entities: kong.Backend(b),
		Verdicts: slices.Concat(verdicts, values.Verdicts, annotation.Ignored(facade, key, annotation.ServiceNames...), []unit.Verdict{programmed}),
	}, found
}

// facadeObject translates the object of a KongServiceFacade, to its status.
func (o Options) facadeObject(r *unit.Reader, key unit.Key, facade *incubatorv1alpha1.KongServiceFacade) unit.Fragment {
	if !class.Ours(r, facade, o.IngressClass) {
		return unit.Fragment{Verdicts: class.Missing(facade, key, o.IngressClass)}
	}
	return unit.Fragment{Status: facadeStatus{key: key}}
}

// facadeStatus is the condition Programmed, which is Pending while no Ingress uses the facade.
type facadeStatus struct {
	condition.Status
	key unit.Key
}

// Judged implements [unit.Judged].
func (s facadeStatus) Judged(verdicts []unit.Verdict) unit.Status {
	used := slices.ContainsFunc(verdicts, func(v unit.Verdict) bool { return v.Condition == condition.Programmed })
	if !used {
		verdicts = append(slices.Clip(verdicts),
			condition.Verdict(s.key, false, condition.ReasonPending, "no Ingress of this gateway uses it as a backend"))
	}
	return s.Status.Judged(verdicts)
}
