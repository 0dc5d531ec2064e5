package backend

import (
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// The roles of the units that extend the operator's address policy by addresses learned from the
// cluster. Their ids are the Service of the API server.
const (
	policyRole  unit.Role[address.Policy]  = "address-policy"
	learnedRole unit.Role[address.Learned] = "address-learned"
)

func ofAPIServer[T any](role unit.Role[T]) unit.Ref[T] { return role.Of("default", "kubernetes") }

const (
	// slicesOfGateway finds the EndpointSlices with the gateway's pod, in its namespace.
	slicesOfGateway unit.Index[unit.None] = "EndpointSlice of the gateway"
	// slicesDenied finds the EndpointSlices of all namespaces with an address that the operator's
	// policy denies.
	slicesDenied unit.Index[unit.None] = "EndpointSlice with a denied address"
)

func (o Options) defineProtected(g *unit.Graph) {
	unit.Shared(g, policyRole, unit.Service, o.translatePolicy).OnPanic(func(unit.Key) address.Policy { return o.Addresses })
	unit.Shared(g, learnedRole, unit.Service, o.translateLearned)
	index := func(name unit.Index[unit.None], holds func(*discoveryv1.EndpointSlice) bool) {
		unit.DefineIndex(g, name, unit.EndpointSlice, func(slice *discoveryv1.EndpointSlice) []unit.None {
			if !holds(slice) {
				return nil
			}
			return []unit.None{{}}
		})
	}
	index(slicesOfGateway, func(slice *discoveryv1.EndpointSlice) bool {
		return slice.Namespace == o.GatewayNamespace && slices.ContainsFunc(addressesOf(slice), func(a netip.Addr) bool {
			return slices.Contains(o.Addresses.Own, a)
		})
	})
	index(slicesDenied, func(slice *discoveryv1.EndpointSlice) bool {
		return slices.ContainsFunc(addressesOf(slice), func(a netip.Addr) bool { return o.Addresses.Reason(a) != "" })
	})
}

// policy returns the policy that decides which endpoints are used.
func (Options) policy(r *unit.Reader) address.Policy {
	return unit.Use(r, ofAPIServer(policyRole))
}

// translatePolicy adds the addresses of the API server and of the gateway's Services: their cluster
// IPs, all pods behind them, and their external addresses, these only at their ports, because a
// node's address serves other pods at other ports. A change of these objects translates all backends
// again, so tenants must not be able to change them.
func (o Options) translatePolicy(r *unit.Reader, apiServer unit.Key) (unit.Fragment, address.Policy) {
	p := o.Addresses
	p.Learned = address.Learned{}
	if !o.Addresses.AllowOwnHost {
		for _, slice := range unit.List[*discoveryv1.EndpointSlice](r, slicesOfGateway, unit.None{}) {
			service := slice.Labels[discoveryv1.LabelServiceName]
			p.Learned.Add(address.OfGateway, clusterIPs(r, slice.Namespace, service))
			addresses, ports := external(r, slice.Namespace, service)
			p.Learned.AddPorts(address.OfGateway, addresses, ports)
			for _, slice := range Slices(r, slice.Namespace, service) {
				p.Learned.Add(address.OfGateway, addressesOf(slice))
			}
		}
	}
	p.Learned.Add(address.OfAPIServer, clusterIPs(r, apiServer.Namespace, apiServer.Name))
	for _, slice := range Slices(r, apiServer.Namespace, apiServer.Name) {
		p.Learned.Add(address.OfAPIServer, addressesOf(slice))
	}
	return unit.Fragment{}, p
}

// translateLearned returns the addresses for those that check addresses when they connect: the ones
// that the policy has learned, and the cluster IPs of Services with a denied endpoint, to which the
// cluster's network would forward.
func (o Options) translateLearned(r *unit.Reader, _ unit.Key) (unit.Fragment, address.Learned) {
	learned := address.Learned{}
	for _, slice := range unit.List[*discoveryv1.EndpointSlice](r, slicesDenied, unit.None{}) {
		learned.Add(address.Leading, clusterIPs(r, slice.Namespace, slice.Labels[discoveryv1.LabelServiceName]))
	}
	maps.Copy(learned, o.policy(r).Learned)
	return unit.Fragment{}, learned
}

// Learned returns the denied addresses that the objects in the graph tell.
func Learned(g *unit.Graph) address.Learned {
	return unit.Keep(g, ofAPIServer(learnedRole))
}

func clusterIPs(r *unit.Reader, namespace, name string) (all []netip.Addr) {
	service, ok := unit.Get[*corev1.Service](r, unit.Service.Key(namespace, name))
	if !ok {
		return nil
	}
	for _, text := range append(slices.Clip(service.Spec.ClusterIPs), service.Spec.ClusterIP) {
		if a, err := netip.ParseAddr(text); err == nil { // a headless Service has "None"
			all = append(all, a.Unmap())
		}
	}
	return all
}

// external returns the addresses of a Service outside of the cluster, including those of load
// balancers, and its ports there.
func external(r *unit.Reader, namespace, name string) (all []netip.Addr, ports []uint16) {
	service, ok := unit.Get[*corev1.Service](r, unit.Service.Key(namespace, name))
	if !ok {
		return nil, nil
	}
	texts := slices.Clone(service.Spec.ExternalIPs)
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		texts = append(texts, ingress.IP)
	}
	for _, text := range texts {
		if a, err := netip.ParseAddr(text); err == nil { // a load balancer may have a name instead
			all = append(all, a.Unmap())
		}
	}
	for _, port := range service.Spec.Ports {
		for _, number := range []int32{port.Port, port.NodePort} {
			if isPort(int(number)) {
				ports = append(ports, uint16(number))
			}
		}
	}
	return all, ports
}

func addressesOf(slice *discoveryv1.EndpointSlice) (all []netip.Addr) {
	for _, e := range slice.Endpoints {
		for _, text := range e.Addresses {
			if a, err := netip.ParseAddr(text); err == nil {
				all = append(all, a.Unmap())
			}
		}
	}
	return all
}
