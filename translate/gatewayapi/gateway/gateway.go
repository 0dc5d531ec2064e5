package gateway

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/hosts"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// publishService warns if the annotation, which the Kong Ingress Controller writes on Gateways,
// names another Service than the one in front of the Gateway.
func (o Options) publishService(gateway *gatewayv1.Gateway, key unit.Key, pooled bool) []unit.Verdict {
	named, actual := annotation.Of(gateway, key).Items(annotation.PublishService), o.Front
	if pooled {
		actual = serviceName(gateway)
	}
	if len(named) == 0 || actual.Name == "" || slices.Contains(named, actual.String()) {
		return nil
	}
	return []unit.Verdict{unit.Warning(key, condition.ReasonAnnotationWithoutEffect, fmt.Sprintf(
		"annotation %s%s has no effect: clients reach the Gateway through Service %s, not through %s",
		annotation.Prefix, annotation.PublishService, actual, strings.Join(named, ", "))).At(annotation.Field(annotation.PublishService))}
}

// Served is the value of the units of Gateways and ListenerSets; nil if one does not belong to this
// controller.
type Served struct {
	Listeners []Listener
	// Detached is why routes cannot be attached; empty if they can.
	Detached string
	// Gateway is the Gateway that the listeners belong to.
	Gateway unit.Key
}

// merged is the value of the unit of all listeners of a Gateway; nil if the Gateway does not belong
// to this controller. Only the Gateway's unit uses all of it; others use parts.
type merged struct {
	gateway    unit.Key
	accepted   condition.Diagnosis   // of the Gateway
	conditions []condition.Diagnosis // optional ones of the Gateway
	pooled     bool
	// listeners are the Gateway's, then its ListenerSets' in the order of precedence.
	listeners []assessment
	// of are the listeners of each object.
	of map[unit.Key][]assessment
}

func mergedOf(gateway unit.Key) unit.Ref[*merged] {
	return mergedRole.Of(gateway.Namespace, gateway.Name)
}

// servedBy returns the listeners of one object, which belong to a Gateway.
func servedBy(gateway unit.Key, own []assessment) *Served {
	s := &Served{Gateway: gateway}
	for _, a := range own {
		s.Listeners = append(s.Listeners, a.listener())
	}
	return s
}

// gateway translates a Gateway: its status and its Service.
func (o Options) gateway(r *unit.Reader, key unit.Key, gateway *gatewayv1.Gateway) (unit.Fragment, *Served) {
	m := unit.Use(r, mergedOf(key))
	if m == nil {
		return unit.Fragment{}, nil
	}
	status, conditions := newGatewayStatus(gateway, m.of[key], m.accepted, m.conditions...)
	if gateway.Spec.AllowedListeners != nil {
		status.sets = new(m.attachedSets())
	}
	fragment := unit.Fragment{Status: status}
	if m.pooled {
		fragment.Objects, status.network = o.network(r, gateway, m)
		if status.network.missing != nil {
			conditions[1] = *status.network.missing
		}
	}
	status.Add(key, "", conditions...)
	addListeners(&status.Verdicts, m.of[key])
	return fragment, servedBy(key, m.of[key])
}

// merge assesses all listeners of a Gateway, its ListenerSets' included, and claims server names for
// their certificates.
func (o Options) merge(r *unit.Reader, key unit.Key) (unit.Fragment, *merged) {
	gateway, ok := unit.Get[*gatewayv1.Gateway](r, key)
	if !ok {
		return unit.Fragment{}, nil
	}
	class := o.ClassOf(r, gateway)
	if !class.Ours {
		return unit.Fragment{}, nil
	}
	t := &translation{reader: r, gateway: gateway, key: key, named: map[string]Certificate{}, lastResort: o.LastResort, isolated: o.Isolated, hosts: map[unit.Key]hosts.Claims{}}
	t.fragment.Verdicts = append(annotation.Ignored(gateway, key, Annotations...), o.publishService(gateway, key, class.Pooled)...)
	m := &merged{gateway: key, pooled: class.Pooled, listeners: listenersOf(r, gateway)}
	ports := o.ports(r, gateway, class)
	for i := range m.listeners {
		m.listeners[i].place(ports)
		t.validate(&m.listeners[i], class.Pooled)
	}
	m.accepted = acceptance(gateway, m.listeners[:len(gateway.Spec.Listeners)], class.Pooled)
	secret, wrong := t.clientCertificate()
	for i := range m.listeners {
		t.program(&m.listeners[i], condition.IsTrue(m.accepted))
		m.listeners[i].clientCertificate = secret
	}
	m.conditions = slices.Concat(t.resolution(wrong, m.listeners[:len(gateway.Spec.Listeners)]), t.fallback())
	findMoreSpecific(m.listeners)
	t.certify(m.listeners)
	if class.Pooled && condition.IsTrue(m.accepted) {
		for _, a := range m.listeners {
			t.answerUnmatched(a)
		}
	}
	if class.Pooled {
		t.misdirected(m.listeners)
	}
	m.of = map[unit.Key][]assessment{}
	for _, a := range m.listeners {
		m.of[a.of] = append(m.of[a.of], a)
	}
	m.addParts(&t.fragment, r, gateway)
	for name, c := range t.named {
		unit.SetPart(&t.fragment, certificatePart{name: name}, c)
	}
	return t.fragment, m
}

// newGatewayStatus returns a status and its conditions: Accepted, Programmed, and more.
func newGatewayStatus(gateway *gatewayv1.Gateway, own []assessment, acceptance condition.Diagnosis, more ...condition.Diagnosis) (*gatewayStatus, []condition.Diagnosis) {
	s := &gatewayStatus{}
	program := gatewayNotProgrammed("no listener can be served")
	for _, a := range own {
		s.listeners = append(s.listeners, a.status())
		if condition.IsTrue(a.programmed) {
			program = gatewayProgrammed()
		}
	}
	conditions := append([]condition.Diagnosis{acceptance, program}, more...)
	s.conditions = condition.Observed(gateway.Generation, conditions...)
	return s, conditions
}

// acceptance returns the condition Accepted of a Gateway.
func acceptance(gateway *gatewayv1.Gateway, all []assessment, pooled bool) condition.Diagnosis {
	accepted := 0
	for _, a := range all {
		if condition.IsTrue(a.accepted) {
			accepted++
		}
	}
	requested, unsupported := requestedAddress(gateway), unsupportedAddress(gateway)
	switch {
	case gateway.Spec.Infrastructure != nil && gateway.Spec.Infrastructure.ParametersRef != nil:
		return gatewayInvalidParameters()
	case !pooled && requested >= 0:
		return gatewayFixedAddresses(addressField(requested))
	case unsupported >= 0:
		return gatewayUnsupportedAddress(addressField(unsupported).Child("type"))
	case accepted < len(all):
		return gatewayListenersNotValid(accepted > 0)
	}
	return gatewayAccepted()
}

func addressField(i int) field.Path { return field.Spec.Child("addresses").Index(i) }

// requestedAddress returns the index of the first address that a Gateway requests, or -1.
func requestedAddress(gateway *gatewayv1.Gateway) int {
	return slices.IndexFunc(gateway.Spec.Addresses, func(a gatewayv1.GatewaySpecAddress) bool { return a.Value != "" })
}

// unsupportedAddress returns the index of the first address of an unsupported type, or -1.
func unsupportedAddress(gateway *gatewayv1.Gateway) int {
	return slices.IndexFunc(gateway.Spec.Addresses, func(a gatewayv1.GatewaySpecAddress) bool {
		return ptr.Deref(a.Type, gatewayv1.IPAddressType) != gatewayv1.IPAddressType
	})
}

// translation is the state of translating one Gateway.
type translation struct {
	reader   *unit.Reader
	gateway  *gatewayv1.Gateway
	key      unit.Key
	fragment unit.Fragment
	named    map[string]Certificate // the server names that have a certificate
	// lastResort are the namespaces that may choose the certificate for all hosts.
	lastResort certificate.LastResort
	// isolated is whether hosts belong to namespaces; hosts are the claims of each object.
	isolated bool
	hosts    map[unit.Key]hosts.Claims
}

// program sets the certificates of a listener and its condition Programmed.
func (t *translation) program(a *assessment, gatewayAccepted bool) {
	usable := true
	if terminates(a.spec) && condition.IsTrue(a.accepted) {
		usable = t.resolve(a)
	}
	switch {
	case !gatewayAccepted:
		a.programmed = listenerNotProgrammed("the Gateway is not accepted")
	case condition.IsTrue(a.conflicted):
		a.programmed = listenerConflictNotProgrammed(a.conflicted.Reason)
	case !condition.IsTrue(a.accepted):
		a.programmed = listenerNotProgrammed("the listener is not accepted")
	case !usable:
		a.programmed = listenerNotProgrammed("the listener has no valid certificate")
	case len(a.kinds) == 0:
		a.programmed = listenerNotProgrammed("the listener allows no supported kind of routes")
	default:
		a.programmed = listenerProgrammed()
	}
}
