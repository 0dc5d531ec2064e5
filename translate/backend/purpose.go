package backend

import (
	"fmt"
	"strconv"

	incubatorv1alpha1 "github.com/kong/kubernetes-configuration/api/incubator/v1alpha1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// speak makes of a protocol for requests the one for connections: a Service that an
// Ingress uses too says its protocol for that.
func (f For) speak(b *route.Backend) {
	switch {
	case f == Datagrams:
		b.Protocol, b.Path = "udp", ""
		b.ClientCertificate, b.TLSVerify, b.TLSVerifyDepth, b.CACertificates = "", nil, nil, nil
	case f == Connections && (b.Protocol == "https" || b.Protocol == "grpcs" || b.Protocol == "tls"):
		b.Protocol, b.Path = "tls", ""
	case f == Connections:
		b.Protocol, b.Path = "tcp", ""
	}
}

// translateFacade makes a backend of a KongServiceFacade: the endpoints of the Service
// that it names, spoken to as its own annotations say.
func (o Options) translateFacade(id unit.ID, r *unit.Reader) unit.Fragment {
	ref := Ref{Namespace: id.Namespace, Service: id.Name, For: Facade}
	key := unit.Key{Kind: unit.KongServiceFacade, Namespace: id.Namespace, Name: id.Name}
	b := route.Backend{Name: ref.name(), Host: ref.host(), Protocol: "http", Port: 80}
	found := Backend{Service: b.Name}
	facade, ok := unit.Get[*incubatorv1alpha1.KongServiceFacade](r, key)
	if !ok {
		found.Reason, found.Message = "KongServiceFacadeNotFound", fmt.Sprintf("%s does not exist", key)
		return unit.Fragment{Entities: kong.Backend(b), Value: found}
	}
	if !class.Ours(r, facade, o.IngressClass) {
		found.Reason, found.Message = "KongServiceFacadeNotOurs", fmt.Sprintf("%s is not of the class %s", key, o.IngressClass)
		return unit.Fragment{Entities: kong.Backend(b), Value: found, Verdicts: class.Missing(facade, key, o.IngressClass)}
	}
	values := annotation.Of(facade, key)
	b.Tags = kong.Tags(facade, incubatorv1alpha1.SchemeGroupVersion.WithKind(string(key.Kind)), values.UserTags()...)
	target := Ref{Namespace: id.Namespace, Service: facade.Spec.Backend.Name, Port: strconv.Itoa(int(facade.Spec.Backend.Port))}
	service, ok := unit.Get[*corev1.Service](r, unit.Key{Kind: unit.Service, Namespace: target.Namespace, Name: target.Service})
	if !ok {
		found.Reason, found.Message = "ServiceNotFound", fmt.Sprintf("%s does not exist", target)
	} else {
		targets, port, wrong := o.targets(r, target, service)
		b.Targets, b.Port = targets, port
		if wrong != nil {
			found.Reason, found.Message = wrong.reason, wrong.message
		}
	}
	Settings(r, facade, key, values, &b)
	return unit.Fragment{
		Entities: kong.Backend(b),
		Value:    found,
		Verdicts: append(values.Verdicts, annotation.Ignored(facade, key, SettingNames...)...),
	}
}
