package gatewayapi

import (
	"fmt"
	"slices"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/hosts"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// served is the value of the units of Gateways and ListenerSets, nil if one is not ours.
type served struct {
	listeners []listener
	// detached is why nothing can be attached; empty if something can.
	detached string
	// gateway is whose the listeners are in the end.
	gateway unit.Key
}

// merged is the value of the unit of all listeners of a Gateway, nil if that is not ours. Only
// the Gateway's own unit uses all of it: others use its parts, so that the listeners of one
// ListenerSet concern no other, nor routes for other hosts.
type merged struct {
	gateway  unit.Key
	accepted diagnosis // the Gateway's
	// conditions are others of the Gateway, if it has what they are about.
	conditions []diagnosis
	pooled     bool
	// listeners are the Gateway's, then those of its ListenerSets in the order of precedence.
	listeners []assessment
	// of are those of each object.
	of map[unit.Key][]assessment
}

func mergedOf(gateway unit.Key) unit.Ref[*merged] {
	return mergedRole.Of(gateway.Namespace, gateway.Name)
}

// servedBy is what routes are told of one object's listeners, which are a Gateway's in the end.
func servedBy(gateway unit.Key, own []assessment) *served {
	s := &served{gateway: gateway}
	for _, a := range own {
		s.listeners = append(s.listeners, a.listener())
	}
	return s
}

// gateway translates a Gateway: its status and its Service.
func (o Options) gateway(r *unit.Reader, key unit.Key, gateway *gatewayv1.Gateway) (unit.Fragment, *served) {
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
	status.add(key, "", conditions...)
	status.addListeners(m.of[key])
	return fragment, servedBy(key, m.of[key])
}

// merge finds out which listeners a Gateway has, those of ListenerSets included, and has
// their certificates served.
func (o Options) merge(r *unit.Reader, key unit.Key) (unit.Fragment, *merged) {
	gateway, ok := unit.Get[*gatewayv1.Gateway](r, key)
	if !ok {
		return unit.Fragment{}, nil
	}
	class := o.ours(r, gateway)
	if !class.ours {
		return unit.Fragment{}, nil
	}
	t := &gatewayTranslation{reader: r, gateway: gateway, key: key, named: map[string]namedCertificate{}, lastResort: o.LastResort, isolated: o.Isolated, hosts: map[unit.Key]hosts.Claims{}}
	t.fragment.Verdicts = append(annotation.Ignored(gateway, key, GatewayAnnotations...), o.publishService(gateway, key, class.pooled)...)
	m := &merged{gateway: key, pooled: class.pooled, listeners: listenersOf(r, gateway)}
	ports := o.ports(r, gateway, class)
	for i := range m.listeners {
		m.listeners[i].place(ports)
		t.validate(&m.listeners[i], class.pooled)
	}
	m.accepted = acceptance(gateway, m.listeners[:len(gateway.Spec.Listeners)], class.pooled)
	shown, wrong := t.clientCertificate()
	for i := range m.listeners {
		t.program(&m.listeners[i], isTrue(m.accepted))
		m.listeners[i].shown = shown
	}
	m.conditions = slices.Concat(t.resolution(wrong, m.listeners[:len(gateway.Spec.Listeners)]), t.fallback())
	narrow(m.listeners)
	t.certify(m.listeners)
	if class.pooled && isTrue(m.accepted) {
		for _, a := range m.listeners {
			t.close(a)
		}
	}
	if class.pooled {
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

// newGatewayStatus returns a status and the Gateway's conditions in it: whether it is accepted,
// whether it is programmed, and others.
func newGatewayStatus(gateway *gatewayv1.Gateway, own []assessment, acceptance diagnosis, more ...diagnosis) (*gatewayStatus, []diagnosis) {
	s := &gatewayStatus{}
	program := gatewayNotProgrammed("no listener can be served")
	for _, a := range own {
		s.listeners = append(s.listeners, a.status())
		if isTrue(a.programmed) {
			program = gatewayProgrammed()
		}
	}
	conditions := append([]diagnosis{acceptance, program}, more...)
	s.conditions = observed(gateway.Generation, conditions...)
	return s, conditions
}

// acceptance tells whether a Gateway is served at all.
func acceptance(gateway *gatewayv1.Gateway, all []assessment, pooled bool) diagnosis {
	accepted := 0
	for _, a := range all {
		if isTrue(a.accepted) {
			accepted++
		}
	}
	asked, unsupported := asksForAddress(gateway), unsupportedAddress(gateway)
	switch {
	case gateway.Spec.Infrastructure != nil && gateway.Spec.Infrastructure.ParametersRef != nil:
		return gatewayInvalidParameters()
	case !pooled && asked >= 0:
		return gatewayFixedAddresses(addressField(asked))
	case unsupported >= 0:
		return gatewayUnsupportedAddress(addressField(unsupported).Child("type"))
	case accepted < len(all):
		return gatewayListenersNotValid(accepted > 0)
	}
	return gatewayAccepted()
}

func addressField(i int) field.Path { return spec.Child("addresses").Index(i) }

// asksForAddress returns the place of the first address that a Gateway asks for, or -1.
func asksForAddress(gateway *gatewayv1.Gateway) int {
	return slices.IndexFunc(gateway.Spec.Addresses, func(a gatewayv1.GatewaySpecAddress) bool { return a.Value != "" })
}

// unsupportedAddress returns the place of the first address of an unsupported type, or -1.
func unsupportedAddress(gateway *gatewayv1.Gateway) int {
	return slices.IndexFunc(gateway.Spec.Addresses, func(a gatewayv1.GatewaySpecAddress) bool {
		return value(a.Type, gatewayv1.IPAddressType) != gatewayv1.IPAddressType
	})
}

// gatewayTranslation is the state of translating one Gateway.
type gatewayTranslation struct {
	reader   *unit.Reader
	gateway  *gatewayv1.Gateway
	key      unit.Key
	fragment unit.Fragment
	named    map[string]namedCertificate // the server names that have a certificate
	// lastResort are the namespaces that may choose the certificate for all hosts.
	lastResort certificate.LastResort
	// isolated keeps the hosts of namespaces apart; hosts are the claims of each object.
	isolated bool
	hosts    map[unit.Key]hosts.Claims
}

// namedCertificate is the certificate that a Gateway has for a server name.
type namedCertificate struct {
	ID, Fingerprint string
	Since           time.Time // the age of the object that has the listener
}

// program finds out whether a listener can be served, and with which certificates.
func (t *gatewayTranslation) program(a *assessment, gatewayAccepted bool) {
	usable := true
	if terminates(a.spec) && isTrue(a.accepted) {
		usable = t.resolve(a)
	}
	switch {
	case !gatewayAccepted:
		a.programmed = listenerNotProgrammed("the Gateway is not accepted")
	case isTrue(a.conflicted):
		a.programmed = listenerConflictNotProgrammed(a.conflicted.Reason)
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

// resolve finds a listener's certificates, and reports whether it can be served. Without any
// named it is served with Kong's own certificate, as in the Kong Ingress Controller.
func (t *gatewayTranslation) resolve(a *assessment) bool {
	var refs []gatewayv1.SecretObjectReference
	if a.spec.TLS != nil {
		refs = a.spec.TLS.CertificateRefs
	}
	if len(refs) == 0 {
		t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(a.of, "CertificateMissing",
			fmt.Sprintf("listener %s has no tls.certificateRefs: Kong answers with its own certificate, which clients don't trust", a.spec.Name)).At(a.path.Child("tls", "certificateRefs")))
		return true
	}
	for i, ref := range refs {
		c, wrong := t.certificate(a.of, ref, a.path.Child("tls", "certificateRefs").Index(i))
		if wrong != nil {
			a.resolved = *wrong
			continue
		}
		a.certificates = append(a.certificates, c)
	}
	return len(a.certificates) > 0
}

// certify has the certificates of listeners served: the first of each for its host, and
// then all for those of their own names that are within it and not a narrower listener's.
func (t *gatewayTranslation) certify(all []assessment) {
	for _, a := range all {
		if len(a.certificates) > 0 {
			t.serve(a, serverName(hostOf(a.spec.Hostname)), a.certificates[0])
			t.unnamed(a)
		}
	}
	looked := 0
	for _, a := range all {
		host := hostOf(a.spec.Hostname)
		for _, c := range a.certificates {
			if looked += len(c.Names) * (1 + len(a.narrower)); looked > limit.Comparisons {
				t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(a.of, "ObjectTooLarge",
					fmt.Sprintf("listener %s: its certificates and those of later listeners are served for the listeners' host names alone: there are too many names in certificates to look through", a.spec.Name)).At(a.path))
				return
			}
			for _, name := range c.Names {
				narrower := func(other route.Host) bool { return covers(other, route.Host(name)) }
				if covers(host, route.Host(name)) && !slices.ContainsFunc(a.narrower, narrower) {
					t.serve(a, name, c)
				}
			}
		}
	}
}

// serverName is the name under which Kong looks for the certificate of a host.
func serverName(host route.Host) string {
	if host == "" {
		return certificate.AnyHost
	}
	return string(host)
}

// unnamed says of a listener that its certificate is for no name at all. One for all hosts
// is one for those of other namespaces too.
func (t *gatewayTranslation) unnamed(a assessment) {
	if hostOf(a.spec.Hostname) != "" || t.lastResort.Permits(a.of.Namespace) ||
		slices.ContainsFunc(a.certificates, func(c certificate.Certificate) bool { return len(c.Names) > 0 }) {
		return
	}
	t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(a.of, "HostMissing", fmt.Sprintf(
		"listener %s has no hostname, and its certificate no DNS names that it could be for. "+
			"The setting LAST_RESORT_CERTIFICATE_NAMESPACES permits namespaces to have one for all hosts", a.spec.Name)).At(a.path.Child("hostname")))
}

// certificate is what an object refers to, or why it cannot be had.
func (t *gatewayTranslation) certificate(from unit.Key, ref gatewayv1.SecretObjectReference, at field.Path) (certificate.Certificate, *diagnosis) {
	unresolved := func(f unit.Fault, reason gatewayv1.ListenerConditionReason, format string, args ...any) (certificate.Certificate, *diagnosis) {
		c := listenerUnresolvedRefs(reason, fmt.Sprintf(format, args...)).with(f)
		return certificate.Certificate{}, &c
	}
	namespace := string(value(ref.Namespace, gatewayv1.Namespace(from.Namespace)))
	if !unit.IsCore(value(ref.Group, "")) || value(ref.Kind, "Secret") != "Secret" {
		return unresolved(unit.At(at.Child("kind")), gatewayv1.ListenerReasonInvalidCertificateRef, "a certificate is in a Secret, not in a %s", value(ref.Kind, ""))
	}
	if to := unit.Secret.Key(namespace, string(ref.Name)); !grant.Allows(t.reader, from, to) {
		return unresolved(unit.Lacking(at.Child("namespace"), grant.Missing(to)), gatewayv1.ListenerReasonRefNotPermitted, "no ReferenceGrant in namespace %s lets %ss of namespace %s refer to Secret %s",
			namespace, from.Kind, from.Namespace, ref.Name)
	}
	c := certificate.Use(t.reader, namespace, string(ref.Name))
	if c.ID == "" {
		return unresolved(unit.Lacking(at.Child("name"), c.Missing), gatewayv1.ListenerReasonInvalidCertificateRef, "%s", c.Message)
	}
	return c, nil
}

// serve claims a server name for a listener, once.
func (t *gatewayTranslation) serve(a assessment, name string, c certificate.Certificate) {
	if _, ok := t.named[name]; ok || !kong.IsName(name) || name == certificate.AnyHost && !t.lastResort.Permits(a.of.Namespace) {
		return
	}
	t.named[name] = namedCertificate{c.ID, c.Fingerprint, a.since}
	if certificate.OutOfReach(name) {
		t.fragment.Verdicts = append(t.fragment.Verdicts, certificate.WithoutEffect(a.of, "listener "+string(a.spec.Name), name).At(a.path))
	}
	t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
		Slot:     unit.ServerNames.Slot(name),
		Object:   a.of,
		Since:    a.since,
		Entities: []*kong.Entity{kong.SNI(name, c.ID)},
		Same:     c.Fingerprint,
		Under:    t.claimsOf(a).Certificate(&t.fragment, name, a.listener().From == gatewayv1.NamespacesFromSame, a.path),
		Lost:     unit.Warning(a.of, "HostConflict", "the certificate for "+name+" is another object's to choose").At(a.path),
	})
}

func (t *gatewayTranslation) claimsOf(a assessment) hosts.Claims {
	claims, ok := t.hosts[a.of]
	if !ok {
		claims = hosts.By(a.of, a.since, t.isolated)
		t.hosts[a.of] = claims
	}
	return claims
}
