package backend

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// policyRole is the role of the unit that adds to the operator's policy of addresses what
// only the cluster knows. It stands for the Service of the API server.
const policyRole unit.Role = "address-policy"

var apiServer = unit.ID{Role: policyRole, Namespace: "default", Name: "kubernetes"}

// slicesOfGateway finds the EndpointSlices that have the gateway's pod, in its namespace.
const slicesOfGateway unit.Kind = "EndpointSlice of the gateway"

func (o Options) definePolicy(g *unit.Graph) {
	g.Define(unit.Definition{Role: policyRole, Kind: unit.Service, Translate: o.translatePolicy})
	g.DefineIndex(unit.Index{
		Name: slicesOfGateway,
		Kind: unit.EndpointSlice,
		Owner: func(object unit.Object) (string, string, bool) {
			slice, ok := object.(*discoveryv1.EndpointSlice)
			return "", "", ok && slice.Namespace == o.GatewayNamespace && slices.ContainsFunc(addressesOf(slice), o.own)
		},
	})
}

func (o Options) own(a netip.Addr) bool { return slices.Contains(o.Addresses.Own, a) }

// policy decides which endpoints are left out.
func (o Options) policy(r *unit.Reader) address.Policy {
	if p, ok := r.Use(apiServer).(address.Policy); ok {
		return p
	}
	return o.Addresses
}

// translatePolicy finds the addresses of the API server and of the gateway's Services: their
// cluster IPs, and all pods behind them. No tenant may change these objects, as all backends
// are translated again when they change.
func (o Options) translatePolicy(id unit.ID, r *unit.Reader) unit.Fragment {
	p := o.Addresses
	p.APIServer = slices.Concat(p.APIServer, serviceAddresses(r, id.Namespace, id.Name))
	p.Own = slices.Clone(p.Own)
	for _, slice := range unit.List[*discoveryv1.EndpointSlice](r, unit.Key{Kind: slicesOfGateway}) {
		p.Own = append(p.Own, serviceAddresses(r, slice.Namespace, slice.Labels[discoveryv1.LabelServiceName])...)
	}
	for _, all := range []*[]netip.Addr{&p.APIServer, &p.Own} {
		slices.SortFunc(*all, netip.Addr.Compare)
		*all = slices.Compact(*all)
	}
	return unit.Fragment{Value: p}
}

// serviceAddresses are a Service's cluster IPs and endpoints.
func serviceAddresses(r *unit.Reader, namespace, name string) (all []netip.Addr) {
	if service, ok := unit.Get[*corev1.Service](r, unit.Key{Kind: unit.Service, Namespace: namespace, Name: name}); ok {
		for _, ip := range append(service.Spec.ClusterIPs, service.Spec.ClusterIP) {
			if a, err := netip.ParseAddr(ip); err == nil { // a headless Service has "None"
				all = append(all, a)
			}
		}
	}
	for _, slice := range Slices(r, namespace, name) {
		all = append(all, addressesOf(slice)...)
	}
	return all
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
