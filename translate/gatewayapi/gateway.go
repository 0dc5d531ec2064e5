package gatewayapi

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// served is the value of a Gateway's unit, nil if the Gateway is not ours.
type served struct{ listeners []listener }

// gateway translates a Gateway: which listeners it has, and their certificates.
func (o Options) gateway(id unit.ID, r *unit.Reader) unit.Fragment {
	key := unit.Key{Kind: unit.Gateway, Namespace: id.Namespace, Name: id.Name}
	gateway, ok := unit.Get[*gatewayv1.Gateway](r, key)
	if !ok {
		return unit.Fragment{}
	}
	class := o.ours(r, gateway)
	if !class.ours {
		return unit.Fragment{}
	}
	ports := o.ports(r, gateway, class)
	t := &gatewayTranslation{reader: r, gateway: gateway, key: key, named: map[string]bool{}}
	all := make([]assessment, len(gateway.Spec.Listeners))
	for i, l := range gateway.Spec.Listeners {
		all[i] = o.assess(gateway, l, ports)
	}
	conflict(all)
	acceptance := acceptance(gateway, all, class.pooled)
	found := served{}
	for i := range all {
		t.program(&all[i], isTrue(acceptance))
		found.listeners = append(found.listeners, all[i].listener())
	}
	t.fragment.Value = found
	status := newGatewayStatus(gateway, all, acceptance)
	if class.pooled {
		status.network = t.network(o.endpoints(r), all, isTrue(acceptance))
	}
	t.fragment.Status = status
	return t.fragment
}

func newGatewayStatus(gateway *gatewayv1.Gateway, all []assessment, acceptance metav1.Condition) *gatewayStatus {
	s := &gatewayStatus{}
	program := gatewayNotProgrammed("no listener can be served")
	for _, a := range all {
		s.listeners = append(s.listeners, a.status(gateway.Generation))
		if isTrue(a.programmed) {
			program = gatewayProgrammed()
		}
	}
	s.conditions = observed(gateway.Generation, acceptance, program)
	return s
}

// acceptance tells whether a Gateway is served at all.
func acceptance(gateway *gatewayv1.Gateway, all []assessment, pooled bool) metav1.Condition {
	accepted := 0
	for _, a := range all {
		if isTrue(a.accepted) {
			accepted++
		}
	}
	switch {
	case gateway.Spec.Infrastructure != nil && gateway.Spec.Infrastructure.ParametersRef != nil:
		return gatewayInvalidParameters()
	case !pooled && asksForAddress(gateway):
		return gatewayFixedAddresses()
	case unsupportedAddress(gateway):
		return gatewayUnsupportedAddress()
	case accepted < len(all):
		return gatewayListenersNotValid(accepted > 0)
	}
	return gatewayAccepted()
}

func asksForAddress(gateway *gatewayv1.Gateway) bool {
	return slices.ContainsFunc(gateway.Spec.Addresses, func(a gatewayv1.GatewaySpecAddress) bool { return a.Value != "" })
}

func unsupportedAddress(gateway *gatewayv1.Gateway) bool {
	return slices.ContainsFunc(gateway.Spec.Addresses, func(a gatewayv1.GatewaySpecAddress) bool {
		return value(a.Type, gatewayv1.IPAddressType) != gatewayv1.IPAddressType
	})
}

// gatewayTranslation is the state of translating one Gateway.
type gatewayTranslation struct {
	reader   *unit.Reader
	gateway  *gatewayv1.Gateway
	key      unit.Key
	fragment unit.Fragment
	named    map[string]bool // the server names that have a certificate
}

// program finds out whether a listener can be served, and with which certificates.
func (t *gatewayTranslation) program(a *assessment, gatewayAccepted bool) {
	usable := true
	if terminates(a.spec) && isTrue(a.accepted) {
		usable = t.certificates(a)
	}
	switch {
	case !gatewayAccepted:
		a.programmed = listenerNotProgrammed("the Gateway is not accepted")
	case !isTrue(a.accepted):
		a.programmed = listenerNotProgrammed("the listener is not accepted")
	case !usable:
		a.programmed = listenerNotProgrammed("the listener has no certificate")
	case len(a.kinds) == 0:
		a.programmed = listenerNotProgrammed("the listener takes no routes")
	default:
		a.programmed = listenerProgrammed()
	}
}

// certificates has a listener's certificates served: the first for its host name, and
// every other one for those of its own names that are within it.
func (t *gatewayTranslation) certificates(a *assessment) (any bool) {
	var refs []gatewayv1.SecretObjectReference
	if a.spec.TLS != nil {
		refs = a.spec.TLS.CertificateRefs
	}
	host := hostOf(a.spec.Hostname)
	for _, ref := range refs {
		c, wrong := t.certificate(ref)
		if wrong != nil {
			a.resolved = *wrong
			continue
		}
		for _, name := range c.Names {
			if covers(host, route.Host(name)) {
				t.serve(name, c.ID)
			}
		}
		if !any {
			t.serve(serverName(host), c.ID)
		}
		any = true
	}
	if len(refs) == 0 {
		a.resolved = listenerUnresolvedRefs(gatewayv1.ListenerReasonInvalidCertificateRef, "the listener names no certificate")
	}
	return any
}

// serverName is the name under which Kong looks for the certificate of a host.
func serverName(host route.Host) string {
	if host == "" {
		return "*"
	}
	return string(host)
}

func (t *gatewayTranslation) certificate(ref gatewayv1.SecretObjectReference) (certificate.Certificate, *metav1.Condition) {
	unresolved := func(reason gatewayv1.ListenerConditionReason, format string, args ...any) (certificate.Certificate, *metav1.Condition) {
		c := listenerUnresolvedRefs(reason, fmt.Sprintf(format, args...))
		return certificate.Certificate{}, &c
	}
	namespace := string(value(ref.Namespace, gatewayv1.Namespace(t.gateway.Namespace)))
	if value(ref.Group, "") != corev1.GroupName || value(ref.Kind, "Secret") != "Secret" {
		return unresolved(gatewayv1.ListenerReasonInvalidCertificateRef, "a certificate is in a Secret, not in a %s", value(ref.Kind, ""))
	}
	if !grant.Allows(t.reader,
		grant.From{Group: gatewayv1.GroupName, Kind: "Gateway", Namespace: t.gateway.Namespace},
		grant.To{Kind: "Secret", Namespace: namespace, Name: string(ref.Name)}) {
		return unresolved(gatewayv1.ListenerReasonRefNotPermitted, "no ReferenceGrant in namespace %s lets Gateways of namespace %s refer to Secret %s",
			namespace, t.gateway.Namespace, ref.Name)
	}
	c := certificate.Use(t.reader, namespace, string(ref.Name))
	if c.ID == "" {
		return unresolved(gatewayv1.ListenerReasonInvalidCertificateRef, "%s", c.Message)
	}
	return c, nil
}

// serve claims a server name, once.
func (t *gatewayTranslation) serve(name, certificateID string) {
	if t.named[name] {
		return
	}
	t.named[name] = true
	t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
		Slot:     "sni " + name,
		Object:   t.key,
		Since:    t.gateway.CreationTimestamp.Time,
		Entities: []*kong.Entity{kong.SNI(name, certificateID)},
		Lost:     unit.Warning(t.key, "HostConflict", "the certificate for "+name+" is another object's to choose"),
	})
}
