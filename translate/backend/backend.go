package backend

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Role is the role of backend units. Their id's Sub is the port.
const Role unit.Role = "backend"

// slicesOfService finds a Service's EndpointSlices.
const slicesOfService unit.Kind = "EndpointSlice of Service"

// Options are settings of the operator.
type Options struct {
	// AllowExternalName takes Services of type ExternalName, which can name any
	// host that Kong can reach.
	AllowExternalName bool
	// AllowLoopback takes endpoints on the gateway's own host. They can be
	// anything that listens there, Kong's Admin API included.
	AllowLoopback bool
	// Drain keeps terminating endpoints as targets of weight 0.
	Drain bool
	// ClusterDomain is appended to the names of Services that Kong resolves
	// itself, such as "cluster.local"; it may be empty.
	ClusterDomain string
}

// Ref names a Service's port: by number, by name, or "implicitPort".
type Ref struct {
	Namespace string
	Service   string
	Port      string
}

// Backend is what users of a backend need to know of it. It is there even when
// the Service is not: its upstream then has no targets and Kong answers 503.
type Backend struct {
	// Service is the name of the Kong service.
	Service string
	// Reason and Message say what is wrong; they are empty when nothing is.
	Reason  string
	Message string
}

// Define adds the units of backends to a graph.
func Define(g *unit.Graph, o Options) {
	g.Define(unit.Definition{Role: Role, Kind: unit.Service, Translate: o.translate})
	g.DefineIndex(unit.Index{
		Name: slicesOfService,
		Kind: unit.EndpointSlice,
		Owner: func(object unit.Object) (string, string, bool) {
			service, ok := object.GetLabels()[discoveryv1.LabelServiceName]
			return object.GetNamespace(), service, ok
		},
	})
}

// Use makes a backend be there for the unit that asks.
func Use(r *unit.Reader, ref Ref) Backend {
	b, ok := r.Use(unit.ID{Role: Role, Namespace: ref.Namespace, Name: ref.Service, Sub: ref.Port}).(Backend)
	if !ok { // its translation panicked
		b = Backend{Service: ref.name(), Reason: "TranslationFailed", Message: ref.String() + " could not be translated"}
	}
	return b
}

// name is the Kong service's.
func (ref Ref) name() string { return ref.Namespace + "." + ref.Service + "." + ref.Port }

// host is the upstream's name.
func (ref Ref) host() string { return ref.Service + "." + ref.Namespace + "." + ref.Port + ".svc" }

// String gives the form that messages use.
func (ref Ref) String() string {
	return fmt.Sprintf("Service %s/%s port %s", ref.Namespace, ref.Service, ref.Port)
}

// problem is why a backend has no targets.
type problem struct{ reason, message string }

func (o Options) translate(id unit.ID, r *unit.Reader) unit.Fragment {
	ref := Ref{Namespace: id.Namespace, Service: id.Name, Port: id.Sub}
	b := route.Backend{Name: ref.name(), Host: ref.host(), Protocol: "http", Port: 80}
	found := Backend{Service: b.Name}
	key := unit.Key{Kind: unit.Service, Namespace: ref.Namespace, Name: ref.Service}

	var verdicts []unit.Verdict
	service, ok := unit.Get[*corev1.Service](r, key)
	if !ok {
		found.Reason, found.Message = "ServiceNotFound", fmt.Sprintf("%s does not exist", key)
	} else {
		values := annotation.Of(service, key)
		b.Tags = kong.Tags(service, corev1.SchemeGroupVersion.WithKind("Service"), values.UserTags()...)
		targets, port, wrong := o.targets(r, ref, service)
		b.Targets, b.Port = targets, port
		if wrong != nil {
			found.Reason, found.Message = wrong.reason, wrong.message
		}
		Settings(r, service, key, values, &b)
		verdicts = append(values.Verdicts, annotation.Ignored(service, key, SettingNames...)...)
	}
	return unit.Fragment{Entities: kong.Backend(b), Value: found, Verdicts: verdicts}
}

// targets finds a Service's endpoints for a port, and the number that the Kong
// service carries.
func (o Options) targets(r *unit.Reader, ref Ref, service *corev1.Service) ([]route.Target, int, *problem) {
	port, known := servicePort(service, ref.Port)
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return o.externalName(ref, service, port, known)
	}
	if !known {
		return nil, 80, &problem{"ServicePortNotFound",
			fmt.Sprintf("Service %s/%s has no port %s", ref.Namespace, ref.Service, ref.Port)}
	}
	number := int(port.Port)
	if service.Annotations[annotation.ServiceUpstream] == "true" {
		return []route.Target{{Address: address(o.clusterName(ref), number), Weight: fullWeight}}, number, nil
	}
	slices := unit.List[*discoveryv1.EndpointSlice](r,
		unit.Key{Kind: slicesOfService, Namespace: ref.Namespace, Name: ref.Service})
	targets, wrong := o.endpoints(ref, slices, port.Name)
	return targets, number, wrong
}

func (o Options) clusterName(ref Ref) string {
	name := ref.Service + "." + ref.Namespace + ".svc"
	if o.ClusterDomain != "" {
		name += "." + o.ClusterDomain
	}
	return name
}

func (o Options) externalName(ref Ref, service *corev1.Service, port corev1.ServicePort, known bool) ([]route.Target, int, *problem) {
	if !known { // such Services need not list their ports
		n, err := strconv.Atoi(ref.Port)
		if err != nil {
			return nil, 80, &problem{"ServicePortNotFound",
				fmt.Sprintf("Service %s/%s has no port %s", ref.Namespace, ref.Service, ref.Port)}
		}
		port.Port = int32(n)
	}
	number := int(port.Port)
	switch name := service.Spec.ExternalName; {
	case !o.AllowExternalName:
		return nil, number, &problem{"ExternalNameNotAllowed",
			fmt.Sprintf("Service %s/%s is of type ExternalName, which the setting ALLOW_EXTERNAL_NAME has to allow",
				ref.Namespace, ref.Service)}
	case !o.AllowLoopback && isLocal(name):
		return nil, number, &problem{"LoopbackNotAllowed",
			fmt.Sprintf("Service %s/%s names the gateway's own host: %s", ref.Namespace, ref.Service, name)}
	default:
		return []route.Target{{Address: address(name, number), Weight: fullWeight}}, number, nil
	}
}

// servicePort finds a port by number or name. A Service with one port needs
// neither.
func servicePort(service *corev1.Service, port string) (corev1.ServicePort, bool) {
	for _, p := range service.Spec.Ports {
		if p.Name == port || strconv.Itoa(int(p.Port)) == port {
			return p, true
		}
	}
	if port == ImplicitPort && len(service.Spec.Ports) == 1 {
		return service.Spec.Ports[0], true
	}
	return corev1.ServicePort{}, false
}

// ImplicitPort is the port of a reference that names none.
const ImplicitPort = "implicitPort"
