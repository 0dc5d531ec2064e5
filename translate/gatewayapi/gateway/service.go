package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// serviceName returns the name of a Gateway's Service: the names of the Gateway and its class, or a
// name with a digest if that is not a valid name of a Service.
func serviceName(gateway *gatewayv1.Gateway) types.NamespacedName {
	name := gateway.Name + "-" + string(gateway.Spec.GatewayClassName)
	if len(validation.IsDNS1035Label(name)) > 0 {
		sum := sha256.Sum256([]byte(name))
		name = strings.ReplaceAll("gateway-"+gateway.Name, ".", "-")
		name = name[:min(len(name), 50)] + "-" + hex.EncodeToString(sum[:6])
	}
	return types.NamespacedName{Namespace: gateway.Namespace, Name: name}
}

// portName returns the name of a Service's port, such as "https-443".
func portName(protocol gatewayv1.ProtocolType, port int32) string {
	return strings.ToLower(string(protocol)) + "-" + strconv.Itoa(int(port))
}

// front builds the Service of one Gateway.
type front struct {
	gateway *gatewayv1.Gateway
	name    types.NamespacedName
	ports   []corev1.ServicePort
}

// open adds a port of the Gateway. Its target is the port at of Kong.
func (f *front) open(protocol gatewayv1.ProtocolType, port, at int32) {
	name := portName(protocol, port)
	if slices.ContainsFunc(f.ports, func(p corev1.ServicePort) bool { return p.Name == name }) {
		return
	}
	f.ports = append(f.ports, corev1.ServicePort{Name: name, Port: port, Protocol: transport(protocol), TargetPort: intstr.FromInt32(at)})
}

// objects returns the Gateway's Service and its EndpointSlices, which hold the endpoints of the
// Service in front of Kong. A selector would find only pods in the Gateway's own namespace.
func (f *front) objects(endpoints []*discoveryv1.EndpointSlice) []unit.Object {
	if len(f.ports) == 0 {
		return nil
	}
	service := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: f.metadata(f.name.Name, nil),
		Spec: corev1.ServiceSpec{
			Type:           corev1.ServiceTypeLoadBalancer,
			Ports:          f.ports,
			LoadBalancerIP: f.requested(),
		},
	}
	objects := []unit.Object{service}
	for _, slice := range endpoints {
		objects = append(objects, f.slice(slice))
	}
	return objects
}

// requested returns the address that the Gateway requests; empty for any.
func (f *front) requested() string {
	for _, a := range f.gateway.Spec.Addresses {
		if a.Value != "" {
			return a.Value
		}
	}
	return ""
}

func (f *front) slice(of *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
	slice := &discoveryv1.EndpointSlice{
		TypeMeta: metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
		ObjectMeta: f.metadata(f.name.Name+"-"+of.Name, map[string]string{
			discoveryv1.LabelServiceName: f.name.Name,
			discoveryv1.LabelManagedBy:   owned.ManagedBy,
		}),
		AddressType: of.AddressType,
		Endpoints:   append([]discoveryv1.Endpoint{}, of.Endpoints...),
	}
	for _, p := range f.ports {
		slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{Name: &p.Name, Protocol: &p.Protocol, Port: &p.TargetPort.IntVal})
	}
	return slice
}

// metadata returns metadata with the Gateway as the owner and its name as a label.
func (f *front) metadata(name string, labels map[string]string) metav1.ObjectMeta {
	meta := metav1.ObjectMeta{
		Name: name, Namespace: f.name.Namespace,
		Labels: map[string]string{}, Annotations: map[string]string{},
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: gatewayv1.GroupVersion.String(), Kind: "Gateway", Name: f.gateway.Name, UID: f.gateway.UID,
		}},
	}
	if infrastructure := f.gateway.Spec.Infrastructure; infrastructure != nil {
		for key, value := range infrastructure.Labels {
			meta.Labels[string(key)] = string(value)
		}
		for key, value := range infrastructure.Annotations {
			meta.Annotations[string(key)] = string(value)
		}
	}
	maps.Copy(meta.Labels, labels)
	owned.Mark(meta.Labels, f.gateway)
	return meta
}

// endpoints returns the EndpointSlices of the Service in front of Kong.
func (o Options) endpoints(r *unit.Reader) []*discoveryv1.EndpointSlice {
	return backend.Slices(r, o.Front.Namespace, o.Front.Name)
}

// addressesOf returns the load-balancer addresses of a Service, sorted.
func addressesOf(service *corev1.Service) []string {
	var addresses []string
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		if ingress.IP != "" {
			addresses = append(addresses, ingress.IP)
		} else if ingress.Hostname != "" {
			addresses = append(addresses, ingress.Hostname)
		}
	}
	slices.Sort(addresses)
	return addresses
}

// network is the state of a Gateway's own Service.
type network struct {
	addresses []string
	// missing is why the Gateway does not have the requested addresses; nil if it has.
	missing *condition.Diagnosis
	// taken is set if the Service with that name does not belong to the Gateway.
	taken bool
}

// network returns the Service and EndpointSlices to write for a Gateway, and the state of the Service.
func (o Options) network(r *unit.Reader, gateway *gatewayv1.Gateway, m *merged) ([]unit.Object, *network) {
	f := &front{gateway: gateway, name: serviceName(gateway)}
	for _, a := range m.listeners {
		if condition.IsTrue(m.accepted) && condition.IsTrue(a.accepted) {
			f.open(a.spec.Protocol, a.spec.Port, a.kongPort)
		}
	}
	n := networkOf(r, gateway)
	if n.taken {
		return nil, n
	}
	return f.objects(o.endpoints(r)), n
}

// networkOf returns the state of a Gateway's own Service.
func networkOf(r *unit.Reader, gateway *gatewayv1.Gateway) *network {
	n, name := &network{}, serviceName(gateway)
	key := unit.Service.Key(name.Namespace, name.Name)
	service, ok := unit.Get[*corev1.Service](r, key)
	if ok && !owned.By(gateway.Name, service) {
		c := gatewayServiceTaken(name.String())
		return &network{missing: &c, taken: true}
	}
	if ok {
		n.addresses, key = addressesOf(service), unit.Key{}
	}
	if len(n.addresses) == 0 {
		c := gatewayWithoutOwnAddress(name.String())
		n.missing = &c
	}
	for i, a := range gateway.Spec.Addresses {
		if a.Value != "" && !slices.Contains(n.addresses, a.Value) {
			c := gatewayAddressNotUsable(name.String(), a.Value).With(unit.Lacking(addressField(i).Child("value"), key))
			n.missing = &c
		}
	}
	return n
}
