package gateway

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gatewayclass"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/name"
	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// ports are the ports of Kong for a Gateway's listeners.
type ports struct {
	options Options
	// service is the Gateway's own Service; empty if it has none.
	service types.NamespacedName
	own     ownPorts
	// front are the ports of the Service in front of Kong.
	front frontPorts
}

func (o Options) ports(r *unit.Reader, gateway *gatewayv1.Gateway, class gatewayclass.Class) ports {
	if !class.Pooled {
		return ports{options: o, front: useFrontPorts(r)}
	}
	return ports{options: o, service: serviceName(gateway), own: portsOf(r, serviceName(gateway))}
}

// of returns the port of Kong for a listener, or why there is none; 0 if requests may arrive at any
// port.
func (p ports) of(l gatewayv1.Listener) (int32, *condition.Diagnosis) {
	switch {
	case p.service.Name != "":
	case !p.options.AnyPort:
		return p.front.of(l)
	case isHTTP(l.Protocol):
		return 0, nil
	default:
		return l.Port, nil
	}
	port := poolPort{p.service, l.Protocol, l.Port}
	at, ok := p.own.assigned[port]
	switch {
	case p.own.beyond[port]:
		c := listenerBeyondShare(l.Protocol, p.options.namespacePorts(l.Protocol))
		return 0, &c
	case !ok:
		c := listenerPoolExhausted(l.Protocol, len(p.options.Pool[l.Protocol]))
		return 0, &c
	}
	return at, nil
}

// network is the state of a Gateway's own Service.
type network struct {
	addresses []string
	// missing is why the Gateway does not have the requested addresses; nil if it has.
	missing *condition.Diagnosis
	// taken is whether a Service of that name exists that does not belong to the Gateway.
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

// answerUnmatched answers 404 to requests at a listener that match none of its routes. Otherwise they
// could match routes of other Gateways that are served at any port.
func (t *translation) answerUnmatched(a assessment) {
	if !isHTTP(a.spec.Protocol) || !condition.IsTrue(a.accepted) {
		return // Kong closes connections that match no route
	}
	r := route.Route{
		Name:      fmt.Sprintf("gateway.%s.%s.%d", t.key.Namespace, t.key.Name, a.spec.Port) + name.Suffix(t.reader, t.key),
		Match:     route.Match{Fallback: true, Port: int(a.kongPort), Path: route.AnyPath},
		Protocols: []string{schemes[a.spec.Protocol]}, BufferRequest: true, BufferResponse: true, HTTPSRedirectStatus: 426,
		Plugins: []route.Plugin{{Name: "request-termination",
			// With this body, gRPC clients see UNIMPLEMENTED.
			Config: []byte(`{"status_code":404,"content_type":"application/json; charset=utf-8","body":"{\"message\":\"no Route matched with those values\"}"}`)}},
		Tags: kong.Tags(t.gateway, gatewayv1.SchemeGroupVersion.WithKind("Gateway")),
	}
	entities, err := kong.Route(r, t.reader.Limits())
	if err != nil {
		panic(err) // not possible: the route has no user input
	}
	for _, e := range entities {
		if !slices.ContainsFunc(t.fragment.Entities, func(other *kong.Entity) bool { return other.Ref == e.Ref }) {
			t.fragment.Entities = append(t.fragment.Entities, e)
		}
	}
}
