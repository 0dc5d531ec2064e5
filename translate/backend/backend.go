package backend

import (
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Role is the role of backend units.
const Role unit.RoleBy[Port, Backend] = "backend"

// Port identifies one of the backends of a Service.
type Port struct {
	// Name is the number or the name of the port, or [ImplicitPort].
	Name    string
	Purpose Purpose
}

func (p Port) String() string {
	if p.Purpose == Requests {
		return p.Name
	}
	return p.Name + "/" + string(p.Purpose)
}

// slicesOfService finds a Service's EndpointSlices.
const slicesOfService unit.Index[types.NamespacedName] = "EndpointSlice of Service"

// Options are settings of the operator.
type Options struct {
	// AllowExternalName permits Services of type ExternalName and EndpointSlices of
	// type FQDN, which can name any host that Kong can reach.
	AllowExternalName bool
	// Addresses decides which addresses backends may have.
	Addresses address.Policy
	// GatewayNamespace is the namespace of the gateway's own Services; it may be empty.
	GatewayNamespace string
	// Drain keeps terminating endpoints as targets of weight 0.
	Drain bool
	// ClusterDomain is appended to the names of Services that Kong resolves
	// itself, such as "cluster.local"; it may be empty.
	ClusterDomain string
	// IngressClass is the class whose parameters apply.
	IngressClass string
}

// Ref names a Service's port: by number, by name, or [ImplicitPort].
type Ref struct {
	Namespace string
	Service   string
	Port      string
	Purpose   Purpose
}

// Backend is the value of a backend's unit. There is one even if the Service does not exist: its
// upstream then has no targets and Kong answers 503.
type Backend struct {
	// Service is the name of the Kong service. It is empty for an invalid reference.
	Service string
	unit.Unavailable
	// WrongPort is whether the port is what is wrong with the reference.
	WrongPort bool
}

// Define adds the units of backends to a graph.
func Define(g *unit.Graph, o Options) {
	unit.SharedBy(g, Role, unit.Service, o.translate).OnPanic(func(key unit.Key, port Port) Backend {
		return Backend{Service: Ref{key.Namespace, key.Name, port.Name, port.Purpose}.name(), Unavailable: unit.Failed(key)}
	})
	o.defineFacades(g)
	o.defineProtected(g)
	unit.DefineIndex(g, slicesOfService, unit.EndpointSlice, func(slice unit.Object) []types.NamespacedName {
		service, ok := slice.GetLabels()[discoveryv1.LabelServiceName]
		if !ok {
			return nil
		}
		return []types.NamespacedName{{Namespace: slice.GetNamespace(), Name: service}}
	})
}

// Slices returns the EndpointSlices of a Service.
func Slices(r *unit.Reader, namespace, service string) []*discoveryv1.EndpointSlice {
	return unit.List[*discoveryv1.EndpointSlice](r, slicesOfService, types.NamespacedName{Namespace: namespace, Name: service})
}

// SlicesOf returns the EndpointSlices of a Service outside of a translation.
func SlicesOf(g *unit.Graph, service types.NamespacedName) []*discoveryv1.EndpointSlice {
	return unit.Find[*discoveryv1.EndpointSlice](g, slicesOfService, service)
}

// Use returns the backend of a reference, and makes its entities exist while the calling unit uses it.
func Use(r *unit.Reader, ref Ref) Backend {
	if message, port := ref.invalid(); message != "" {
		return Backend{Unavailable: unit.Unavailable{Reason: "BackendInvalid", Message: message}, WrongPort: port}
	}
	if ref.Purpose == Facade {
		return unit.Use(r, FacadeRole.Of(ref.Namespace, ref.Service))
	}
	return unit.Use(r, Role.Of(ref.Namespace, ref.Service, Port{ref.Port, ref.Purpose}))
}

// invalid returns what is wrong with a reference, and whether it is the port; empty if it is valid.
// The definitions of custom kinds do not validate references.
func (ref Ref) invalid() (message string, port bool) {
	number, err := strconv.Atoi(ref.Port)
	switch {
	case ref.Purpose == Facade && len(validation.IsDNS1123Subdomain(ref.Service)) > 0:
		return fmt.Sprintf("%q is not a valid name of a KongServiceFacade", ref.Service), false
	case ref.Purpose == Facade:
	case len(validation.IsDNS1123Label(ref.Service)) > 0:
		return fmt.Sprintf("%q is not a valid name of a Service", ref.Service), false
	case err == nil && (number < 1 || number > 65535), err != nil && ref.Port != ImplicitPort && len(validation.IsValidPortName(ref.Port)) > 0:
		return fmt.Sprintf("%q is neither a valid number nor a valid name of a port", ref.Port), true
	}
	return "", false
}

// name returns the name of the Kong service. The Kong Ingress Controller gives the services for a
// port's requests and connections the same name, and loses one of them.
func (ref Ref) name() string {
	switch ref.Purpose {
	case Facade:
		return ref.Namespace + "." + ref.Service + ".svc.facade"
	case Connections, Datagrams:
		return ref.Namespace + "." + ref.Service + "." + ref.Port + "." + string(ref.Purpose)
	}
	return ref.Namespace + "." + ref.Service + "." + ref.Port
}

// host returns the name of the upstream.
func (ref Ref) host() string {
	switch ref.Purpose {
	case Facade:
		return ref.name()
	case Connections, Datagrams:
		return ref.Service + "." + ref.Namespace + "." + ref.Port + "." + string(ref.Purpose) + ".svc"
	}
	return ref.Service + "." + ref.Namespace + "." + ref.Port + ".svc"
}

// String returns the reference as messages name it.
func (ref Ref) String() string {
	if ref.Port == ImplicitPort {
		return fmt.Sprintf("Service %s/%s", ref.Namespace, ref.Service)
	}
	return fmt.Sprintf("Service %s/%s port %s", ref.Namespace, ref.Service, ref.Port)
}

// problem is why a backend has no targets, or fewer; empty if there is no problem.
type problem struct {
	reason, message string
	port            bool // the Service does not have the port
}

func (o Options) translate(r *unit.Reader, key unit.Key, port Port) (unit.Fragment, Backend) {
	ref := Ref{Namespace: key.Namespace, Service: key.Name, Port: port.Name, Purpose: port.Purpose}
	b := route.Backend{Name: ref.name(), Host: ref.host(), Protocol: "http", Port: 80}
	found := Backend{Service: b.Name}
	var verdicts []unit.Verdict
	service, ok := unit.Get[*corev1.Service](r, key)
	if !ok {
		found.Unavailable = unit.NotFound(ServiceNotFound, key)
	} else {
		values := annotation.Of(service, key)
		b.Tags = kong.Tags(service, corev1.SchemeGroupVersion.WithKind("Service"), values.UserTags()...)
		resolved := o.targets(r, ref, service)
		b.Targets, b.Port, b.Protocol = resolved.targets, resolved.port, ref.protocol(service)
		found.Reason, found.Message, found.WrongPort = resolved.problem.reason, resolved.problem.message, resolved.problem.port
		Settings(r, service, key, ref.Purpose, values, &b)
		verdicts = slices.Concat(resolved.verdicts, values.Verdicts, annotation.Ignored(service, key, annotation.ServiceNames...))
	}
	ref.Purpose.UseStreamProtocol(&b)
	return unit.Fragment{Entities: kong.Backend(b), Verdicts: verdicts}, found
}

// resolution holds the targets of a Service's port.
type resolution struct {
	targets []route.Target
	// port is the port of the Kong service.
	port    int
	problem problem
	// verdicts are on the objects whose endpoints are not used.
	verdicts []unit.Verdict
}

// targets resolves a Service's port.
func (o Options) targets(r *unit.Reader, ref Ref, service *corev1.Service) resolution {
	port, known := servicePort(service, ref)
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return o.externalName(r, ref, service, port, known)
	}
	if !known {
		return resolution{port: 80, problem: portNotFound(ref)}
	}
	number := int(port.Port)
	targets, refused := o.endpoints(Slices(r, ref.Namespace, ref.Service), port.Name, o.policy(r))
	if annotation.Of(service, unit.Key{}).ServiceUpstream() || class.Use(r, o.IngressClass).ServiceUpstream {
		targets = []route.Target{{Address: hostPort(o.clusterName(ref), number), Weight: fullWeight}}
		// The cluster's network chooses the endpoint, and could choose a denied one.
		if refused.total[AddressNotAllowed] > 0 {
			targets = nil
		}
	}
	return resolution{targets, number, refused.problem(ref), refused.verdicts}
}

func portNotFound(ref Ref) problem {
	message := fmt.Sprintf("Service %s/%s has no port %s", ref.Namespace, ref.Service, ref.Port)
	if ref.Port == ImplicitPort {
		message = fmt.Sprintf("the reference to Service %s/%s names no port, which only a Service with one port allows", ref.Namespace, ref.Service)
	}
	return problem{"ServicePortNotFound", message, true}
}

func (o Options) clusterName(ref Ref) string {
	name := ref.Service + "." + ref.Namespace + ".svc"
	if o.ClusterDomain != "" {
		name += "." + o.ClusterDomain
	}
	return name
}

func (o Options) externalName(r *unit.Reader, ref Ref, service *corev1.Service, port corev1.ServicePort, known bool) resolution {
	if !known { // such Services need not list their ports
		n, err := strconv.Atoi(ref.Port)
		if err != nil || !isPort(n) {
			return resolution{port: 80, problem: portNotFound(ref)}
		}
		port.Port = int32(n)
	}
	number := int(port.Port)
	key := unit.Service.Of(service)
	wrong := func(reason, name, why string) resolution {
		at := field.NewPath("spec", name)
		message := fmt.Sprintf("%s: %s. %s", at, why, advice[reason])
		return resolution{port: number, problem: problem{reason: reason, message: key.String() + " has no endpoint: " + message},
			verdicts: []unit.Verdict{unit.Warning(key, reason, message).At(at)}}
	}
	name := service.Spec.ExternalName
	if !o.AllowExternalName {
		return wrong(ExternalNameNotAllowed, "type", "ExternalName is not allowed")
	}
	if !isHost(name) {
		return wrong(ExternalNameInvalid, "externalName", fmt.Sprintf("%q is neither a DNS name nor an IP address", name))
	}
	if what := hostReason(name, number, o.policy(r)); what != "" {
		return wrong(AddressNotAllowed, "externalName", name+" is "+what)
	}
	return resolution{targets: []route.Target{{Address: hostPort(name, number), Weight: fullWeight}}, port: number}
}

// servicePort finds a port by number or name, preferably a UDP port for datagrams and another one
// otherwise. [ImplicitPort] is the only port of a Service.
func servicePort(service *corev1.Service, ref Ref) (corev1.ServicePort, bool) {
	var found corev1.ServicePort
	known := false
	for _, p := range service.Spec.Ports {
		if p.Name != ref.Port && strconv.Itoa(int(p.Port)) != ref.Port || !isPort(int(p.Port)) {
			continue
		}
		if better := (p.Protocol == corev1.ProtocolUDP) == (ref.Purpose == Datagrams); better {
			return p, true
		}
		if !known {
			found, known = p, true
		}
	}
	if !known && ref.Port == ImplicitPort && len(service.Spec.Ports) == 1 && isPort(int(service.Spec.Ports[0].Port)) {
		return service.Spec.Ports[0], true
	}
	return found, known
}

// ImplicitPort is the port of a reference without a port.
const ImplicitPort = "implicitPort"
