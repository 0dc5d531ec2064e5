package gateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// frontendPlugin has clients show certificates. For all requests it is told at which ports,
// and to each route of such a port it is added once more: what it has not let by, or what
// comes by a Kong that does not have it, gets nowhere.
const frontendPlugin = "kube-sync-mtls"

// frontendRole is of the unit that tells Kong about the ports of all Gateways.
const frontendRole unit.Role[unit.None] = "gateway-frontends"

// frontendField is the path of how clients prove who they are.
var frontendField = field.Spec.Child("tls", "frontend")

// validationOf is how clients of a Gateway's port prove who they are, and the path of that; nil
// if they need not.
func validationOf(gateway *gatewayv1.Gateway, port int32) (*gatewayv1.FrontendTLSValidation, field.Path) {
	if gateway.Spec.TLS == nil || gateway.Spec.TLS.Frontend == nil {
		return nil, ""
	}
	frontend := gateway.Spec.TLS.Frontend
	for i, at := range frontend.PerPort {
		if at.Port == port {
			return at.TLS.Validation, frontendField.Child("perPort").Index(i).Child("tls", "validation")
		}
	}
	return frontend.Default.Validation, frontendField.Child("default", "validation")
}

// required tells whether clients are let by only with a good certificate.
func required(v *gatewayv1.FrontendTLSValidation) bool {
	return v.Mode != gatewayv1.AllowInsecureFallback
}

// clientCAs are the certificates that clients are verified by, and the first reference to
// such that cannot be followed. The others leave fewer, never more.
func clientCAs(r *unit.Reader, gateway *gatewayv1.Gateway, v *gatewayv1.FrontendTLSValidation, at field.Path) (cas []string, wrong *condition.Diagnosis) {
	unresolved := func(f unit.Fault, reason gatewayv1.ListenerConditionReason, format string, args ...any) {
		if wrong == nil {
			c := listenerUnresolvedRefs(reason, fmt.Sprintf(format, args...)).With(f)
			wrong = &c
		}
	}
	refs := at.Child("caCertificateRefs")
	for i, ref := range v.CACertificateRefs {
		at := refs.Index(i)
		kind, namespace := unit.Kind(ref.Kind), string(ptr.Deref(ref.Namespace, gatewayv1.Namespace(gateway.Namespace)))
		if !unit.IsCore(ref.Group) || kind != unit.ConfigMap && kind != unit.Secret {
			unresolved(unit.At(at.Child("kind")), gatewayv1.ListenerReasonInvalidCACertificateKind, "%s is of the kind %s; CA certificates are in a ConfigMap or a Secret", ref.Name, unit.QualifiedKind(ref.Group, ref.Kind))
			continue
		}
		if to := kind.Key(namespace, string(ref.Name)); !grant.Allows(r, unit.Gateway.Of(gateway), to) {
			unresolved(unit.Lacking(at.Child("namespace"), grant.Missing(to)), gatewayv1.ListenerReasonRefNotPermitted, "no ReferenceGrant in namespace %s lets Gateways of namespace %s refer to %s %s",
				namespace, gateway.Namespace, kind, ref.Name)
			continue
		}
		bundle := certificate.UseBundle(r, kind, namespace, string(ref.Name))
		if len(bundle.Certificates) == 0 {
			unresolved(unit.Lacking(at.Child("name"), bundle.Missing), gatewayv1.ListenerReasonInvalidCACertificateRef, "%s", bundle.Message)
		}
		if bundle.Weak != "" {
			unresolved(unit.At(at.Child("name")), gatewayv1.ListenerReasonInvalidCACertificateRef, "%s", bundle.Weak)
		}
		cas = append(cas, bundle.Certificates...)
	}
	size := 0
	for _, ca := range cas {
		size += len(ca)
	}
	// One plugin has those of all Gateways.
	if most := r.Limits().PluginString; limit.Exceeds(size, most) {
		unresolved(unit.At(refs), gatewayv1.ListenerReasonInvalidCACertificateRef, "the CA certificates have %d bytes, and the setting %s allows %d", size, limit.PluginString, most)
		return nil, wrong
	}
	return cas, wrong
}

// validate finds out how clients of a listener prove who they are. Of a Gateway that shares
// Kong's ports nobody could tell whom to ask.
func (t *translation) validate(a *assessment, pooled bool) {
	v, at := validationOf(t.gateway, a.spec.Port)
	if v == nil || a.spec.Protocol != gatewayv1.HTTPSProtocolType || !condition.IsTrue(a.accepted) {
		return
	}
	if !pooled {
		// Whoever wants clients to be validated relies on it.
		a.accepted = listenerUnsupportedValue("tls.frontend needs ports of the Gateway's own; nothing is served rather than to everybody").With(t.faultAt(*a, unit.At(at)))
		return
	}
	cas, wrong := clientCAs(t.reader, t.gateway, v, at)
	if wrong != nil {
		a.resolved = wrong.With(t.faultAt(*a, wrong.Fault))
	}
	if len(cas) == 0 {
		a.accepted = listenerNoValidCA(a.resolved.Message).With(a.resolved.Fault)
		return
	}
	unit.Use(t.reader, frontendRole.Of("", ""))
	a.validated = required(v)
}

// faultAt returns a fault of the Gateway. If a ListenerSet has the listener, the field is the
// listener's: the ListenerSet does not have the Gateway's fields.
func (t *translation) faultAt(a assessment, f unit.Fault) unit.Fault {
	if a.of != t.key {
		f.Field = a.path
	}
	return f
}

// fallback is the condition of Gateways some of whose clients need not prove anything.
func (t *translation) fallback() []condition.Diagnosis {
	if t.gateway.Spec.TLS == nil || t.gateway.Spec.TLS.Frontend == nil {
		return nil
	}
	frontend := t.gateway.Spec.TLS.Frontend
	lenient := func(v *gatewayv1.FrontendTLSValidation) bool { return v != nil && !required(v) }
	if lenient(frontend.Default.Validation) {
		return []condition.Diagnosis{gatewayInsecure(frontendField.Child("default", "validation", "mode"))}
	}
	for i, at := range frontend.PerPort {
		if lenient(at.TLS.Validation) {
			return []condition.Diagnosis{gatewayInsecure(frontendField.Child("perPort").Index(i).Child("tls", "validation", "mode"))}
		}
	}
	return nil
}

// guardedPort is one entry of the plugin's configuration.
type guardedPort struct {
	Port     int32    `json:"port"`
	Required bool     `json:"required"`
	CAs      []string `json:"cas,omitempty"`
}

// frontends tells Kong at which of its ports clients have to prove who they are.
func (o Options) frontends(r *unit.Reader, _ unit.Key) (unit.Fragment, unit.None) {
	var ports []guardedPort
	for _, gateway := range unit.List[*gatewayv1.Gateway](r, allGateways, unit.None{}) {
		if gateway.Spec.TLS == nil || gateway.Spec.TLS.Frontend == nil || !o.ClassOf(r, gateway).Pooled {
			continue
		}
		for port, at := range portsOf(r, serviceName(gateway)).assigned {
			v, path := validationOf(gateway, port.Port)
			if port.Protocol == gatewayv1.HTTPSProtocolType && v != nil {
				cas, _ := clientCAs(r, gateway, v, path)
				ports = append(ports, guardedPort{Port: at, Required: required(v), CAs: cas})
			}
		}
	}
	if len(ports) == 0 {
		return unit.Fragment{}, unit.None{}
	}
	slices.SortFunc(ports, func(a, b guardedPort) int { return cmp.Compare(a.Port, b.Port) })
	plugin := frontendEntity(ports)
	for i := range ports {
		ports[i].CAs = nil
	}
	plugin.Instead = []*kong.Entity{frontendEntity(ports)} // nobody is let by
	return unit.Fragment{Entities: []*kong.Entity{plugin}}, unit.None{}
}

func frontendEntity(ports []guardedPort) *kong.Entity {
	config, err := json.Marshal(map[string][]guardedPort{"ports": ports})
	if err != nil {
		panic(err) // numbers and texts
	}
	return kong.Plugin(route.Plugin{Name: frontendPlugin, Config: config}, kong.Ref{}, "")
}

// RequireClientCertificate adds to a route's plugins that nobody comes by it who was not let by.
func RequireClientCertificate(plugins []route.Plugin) []route.Plugin {
	return append(slices.Clip(plugins), route.NewPlugin(frontendPlugin, map[string]bool{"required": true}))
}
