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

// Port tells the backends of one Service apart.
type Port struct {
	// Name is the number or the name of the port, or [ImplicitPort].
	Name string
	For  For
}

func (p Port) String() string {
	if p.For == Requests {
		return p.Name
	}
	return p.Name + "/" + string(p.For)
}

// slicesOfService finds a Service's EndpointSlices.
const slicesOfService unit.Index[types.NamespacedName] = "EndpointSlice of Service"

// Options are settings of the operator.
type Options struct {
	// AllowExternalName takes Services of type ExternalName and EndpointSlices of
	// type FQDN, which can name any host that Kong can reach.
	AllowExternalName bool
	// Addresses decides which addresses backends may have.
	Addresses address.Policy
	// GatewayNamespace is where the gateway's own Services are; it may be empty.
	GatewayNamespace string
	// Drain keeps terminating endpoints as targets of weight 0.
	Drain bool
	// ClusterDomain is appended to the names of Services that Kong resolves
	// itself, such as "cluster.local"; it may be empty.
	ClusterDomain string
	// IngressClass is the class whose parameters count.
	IngressClass string
}

// Ref names a Service's port: by number, by name, or "implicitPort".
type Ref struct {
	Namespace string
	Service   string
	Port      string
	// For tells backends of one port apart that are spoken to in different ways.
	For For
}

// For is what a backend is for.
type For string

// What backends are for. A facade is for requests as well; the reference's Service is
// then the name of a KongServiceFacade.
const (
	Requests    For = ""
	Connections For = "tcp"
	Datagrams   For = "udp"
	Facade      For = "facade"
)

// Backend is what users of a backend need to know of it. It is there even when
// the Service is not: its upstream then has no targets and Kong answers 503.
type Backend struct {
	// Service is the name of the Kong service. It is empty for a reference that nothing
	// could ever be found by.
	Service string
	unit.Unavailable
	// WrongPort reports that the port of the reference is wrong, and not what it names.
	WrongPort bool
}

// Define adds the units of backends to a graph.
func Define(g *unit.Graph, o Options) {
	unit.SharedBy(g, Role, unit.Service, o.translate).OnPanic(func(key unit.Key, port Port) Backend {
		return Backend{Service: Ref{key.Namespace, key.Name, port.Name, port.For}.name(), Unavailable: unit.Failed(key)}
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

// Slices are the EndpointSlices of a Service.
func Slices(r *unit.Reader, namespace, service string) []*discoveryv1.EndpointSlice {
	return unit.List[*discoveryv1.EndpointSlice](r, slicesOfService, types.NamespacedName{Namespace: namespace, Name: service})
}

// Use makes a backend be there for the unit that asks.
func Use(r *unit.Reader, ref Ref) Backend {
	if wrong, port := ref.wrong(); wrong != "" {
		return Backend{Unavailable: unit.Unavailable{Reason: "BackendInvalid", Message: wrong}, WrongPort: port}
	}
	if ref.For == Facade {
		return unit.Use(r, FacadeRole.Of(ref.Namespace, ref.Service))
	}
	return unit.Use(r, Role.Of(ref.Namespace, ref.Service, Port{ref.Port, ref.For}))
}

// wrong says why nothing can be found by a reference, and whether that is its port.
// Definitions of custom kinds let any text through.
func (ref Ref) wrong() (message string, port bool) {
	number, err := strconv.Atoi(ref.Port)
	switch {
	case ref.For == Facade && len(validation.IsDNS1123Subdomain(ref.Service)) > 0:
		return fmt.Sprintf("%q is not the name of a KongServiceFacade", ref.Service), false
	case ref.For == Facade:
	case len(validation.IsDNS1123Label(ref.Service)) > 0:
		return fmt.Sprintf("%q is not the name of a Service", ref.Service), false
	case err == nil && (number < 1 || number > 65535), err != nil && ref.Port != ImplicitPort && len(validation.IsValidPortName(ref.Port)) > 0:
		return fmt.Sprintf("%q is neither the number nor the name of a port", ref.Port), true
	}
	return "", false
}

// name is the Kong service's. The Kong Ingress Controller has one name for a port's
// requests and its connections, and one of the two services is lost.
func (ref Ref) name() string {
	switch ref.For {
	case Facade:
		return ref.Namespace + "." + ref.Service + ".svc.facade"
	case Connections, Datagrams:
		return ref.Namespace + "." + ref.Service + "." + ref.Port + "." + string(ref.For)
	}
	return ref.Namespace + "." + ref.Service + "." + ref.Port
}

// host is the upstream's name.
func (ref Ref) host() string {
	switch ref.For {
	case Facade:
		return ref.name()
	case Connections, Datagrams:
		return ref.Service + "." + ref.Namespace + "." + ref.Port + "." + string(ref.For) + ".svc"
	}
	return ref.Service + "." + ref.Namespace + "." + ref.Port + ".svc"
}

// String gives the form that messages use.
func (ref Ref) String() string {
	return fmt.Sprintf("Service %s/%s port %s", ref.Namespace, ref.Service, ref.Port)
}

// problem is why a backend has no targets, or fewer; empty if there is none.
type problem struct {
	reason, message string
	port            bool // the Service does not have it
}

func (o Options) translate(r *unit.Reader, key unit.Key, port Port) (unit.Fragment, Backend) {
	ref := Ref{Namespace: key.Namespace, Service: key.Name, Port: port.Name, For: port.For}
	b := route.Backend{Name: ref.name(), Host: ref.host(), Protocol: "http", Port: 80}
	found := Backend{Service: b.Name}
	var verdicts []unit.Verdict
	service, ok := unit.Get[*corev1.Service](r, key)
	if !ok {
		found.Unavailable = unit.NotFound(ServiceNotFound, key)
	} else {
		values := annotation.Of(service, key)
		b.Tags = kong.Tags(service, corev1.SchemeGroupVersion.WithKind("Service"), values.UserTags()...)
		reached := o.targets(r, ref, service)
		b.Targets, b.Port, b.Protocol = reached.targets, reached.port, ref.protocol(service)
		found.Reason, found.Message, found.WrongPort = reached.wrong.reason, reached.wrong.message, reached.wrong.port
		Settings(r, service, key, ref.For, values, &b)
		verdicts = slices.Concat(reached.verdicts, values.Verdicts, annotation.Ignored(service, key, annotation.ServiceNames...))
	}
	ref.For.UseStreamProtocol(&b)
	return unit.Fragment{Entities: kong.Backend(b), Verdicts: verdicts}, found
}

// reached is where requests to a Service's port go.
type reached struct {
	targets []route.Target
	// port is the number that the Kong service carries.
	port  int
	wrong problem
	// verdicts are on the objects whose endpoints are left out.
	verdicts []unit.Verdict
}

// targets finds a Service's endpoints for a port.
func (o Options) targets(r *unit.Reader, ref Ref, service *corev1.Service) reached {
	port, known := servicePort(service, ref)
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return o.externalName(r, ref, service, port, known)
	}
	if !known {
		return reached{port: 80, wrong: portNotFound(ref)}
	}
	number := int(port.Port)
	targets, refused := o.endpoints(Slices(r, ref.Namespace, ref.Service), port.Name, o.policy(r))
	if annotation.Of(service, unit.Key{}).ServiceUpstream() || class.Use(r, o.IngressClass).ServiceUpstream {
		targets = []route.Target{{Address: joined(o.clusterName(ref), number), Weight: fullWeight}}
		// The cluster's network chooses the endpoint: it would also choose one that is denied.
		if refused.total[AddressNotAllowed] > 0 {
			targets = nil
		}
	}
	return reached{targets, number, refused.problem(ref), refused.verdicts}
}

func portNotFound(ref Ref) problem {
	return problem{"ServicePortNotFound", fmt.Sprintf("Service %s/%s has no port %s", ref.Namespace, ref.Service, ref.Port), true}
}

func (o Options) clusterName(ref Ref) string {
	name := ref.Service + "." + ref.Namespace + ".svc"
	if o.ClusterDomain != "" {
		name += "." + o.ClusterDomain
	}
	return name
}

func (o Options) externalName(r *unit.Reader, ref Ref, service *corev1.Service, port corev1.ServicePort, known bool) reached {
	if !known { // such Services need not list their ports
		n, err := strconv.Atoi(ref.Port)
		if err != nil || !isPort(n) {
			return reached{port: 80, wrong: portNotFound(ref)}
		}
		port.Port = int32(n)
	}
	number := int(port.Port)
	key := unit.Service.Of(service)
	wrong := func(reason, name, why string) reached {
		at := field.NewPath("spec", name)
		message := fmt.Sprintf("%s: %s. %s", at, why, advice[reason])
		return reached{port: number, wrong: problem{reason: reason, message: key.String() + " has no endpoint: " + message},
			verdicts: []unit.Verdict{unit.Warning(key, reason, message).At(at)}}
	}
	name := service.Spec.ExternalName
	if !o.AllowExternalName {
		return wrong(ExternalNameNotAllowed, "type", "ExternalName stands for a name")
	}
	if !isHost(name) {
		return wrong(ExternalNameInvalid, "externalName", fmt.Sprintf("%q is neither a DNS name nor an IP address", name))
	}
	if what := hostReason(name, number, o.policy(r)); what != "" {
		return wrong(AddressNotAllowed, "externalName", name+" is "+what)
	}
	return reached{targets: []route.Target{{Address: joined(name, number), Weight: fullWeight}}, port: number}
}

// servicePort finds a port by number or name, for datagrams one of UDP if there is one.
// A Service with one port needs neither.
func servicePort(service *corev1.Service, ref Ref) (corev1.ServicePort, bool) {
	var found corev1.ServicePort
	known := false
	for _, p := range service.Spec.Ports {
		if p.Name != ref.Port && strconv.Itoa(int(p.Port)) != ref.Port || !isPort(int(p.Port)) {
			continue
		}
		if better := (p.Protocol == corev1.ProtocolUDP) == (ref.For == Datagrams); better {
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

// ImplicitPort is the port of a reference that names none.
const ImplicitPort = "implicitPort"
