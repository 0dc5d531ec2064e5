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

// frontendPlugin requests and validates client certificates. As a global plugin it has the list of
// the ports. It is also attached to each route of such a port, which refuses the requests that the
// global plugin has not admitted.
const frontendPlugin = "kube-sync-mtls"

// frontendRole is the role of the unit of the global plugin, with the ports of all Gateways.
const frontendRole unit.Role[unit.None] = "gateway-frontends"

var frontendField = field.Spec.Child("tls", "frontend")

// validationOf returns how client certificates are validated at a Gateway's port, and the path of
// that field; nil if they are not.
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

// required reports whether clients need a valid certificate.
func required(v *gatewayv1.FrontendTLSValidation) bool {
	return v.Mode != gatewayv1.AllowInsecureFallback
}

// clientCAs returns the CA certificates for clients, and the first problem with a reference. An
// unresolved reference only leaves fewer CA certificates to trust.
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
			unresolved(unit.At(at.Child("kind")), gatewayv1.ListenerReasonInvalidCACertificateKind, "%s is of kind %s; only ConfigMaps and Secrets can hold CA certificates", ref.Name, unit.QualifiedKind(ref.Group, ref.Kind))
			continue
		}
		if to := kind.Key(namespace, string(ref.Name)); !grant.Allows(r, unit.Gateway.Of(gateway), to) {
			unresolved(unit.Lacking(at.Child("namespace"), grant.Missing(to)), gatewayv1.ListenerReasonRefNotPermitted, "no ReferenceGrant in namespace %s allows Gateways of namespace %s to refer to %s %s",
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
	// One plugin holds the CA certificates of all Gateways.
	if most := r.Limits().PluginString; limit.Exceeds(size, most) {
		unresolved(unit.At(refs), gatewayv1.ListenerReasonInvalidCACertificateRef, "the CA certificates have %d bytes; the setting %s allows %d", size, limit.PluginString, most)
		return nil, wrong
	}
	return cas, wrong
}

// validate sets whether clients of a listener need a valid certificate. That is not supported for
// Gateways that share Kong's ports: Kong chooses by the port which clients to ask.
func (t *translation) validate(a *assessment, pooled bool) {
	v, at := validationOf(t.gateway, a.spec.Port)
	if v == nil || a.spec.Protocol != gatewayv1.HTTPSProtocolType || !condition.IsTrue(a.accepted) {
		return
	}
	if !pooled {
		// Serving clients without validation would be insecure.
		a.accepted = listenerUnsupportedValue("tls.frontend is supported only for Gateways with a Service of their own; the listener is not served, because clients could not be validated").With(t.faultAt(*a, unit.At(at)))
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

// faultAt returns a fault of the Gateway. For a listener of a ListenerSet, which does not have the
// Gateway's fields, the field is the listener.
func (t *translation) faultAt(a assessment, f unit.Fault) unit.Fault {
	if a.of != t.key {
		f.Field = a.path
	}
	return f
}

// fallback returns the condition of a Gateway with AllowInsecureFallback.
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

// frontends makes the global plugin, with all ports at which clients are validated.
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
	plugin.Instead = []*kong.Entity{frontendEntity(ports)} // admits no client
	return unit.Fragment{Entities: []*kong.Entity{plugin}}, unit.None{}
}

func frontendEntity(ports []guardedPort) *kong.Entity {
	config, err := json.Marshal(map[string][]guardedPort{"ports": ports})
	if err != nil {
		panic(err) // not possible: there are only numbers, strings and bools
	}
	return kong.Plugin(route.Plugin{Name: frontendPlugin, Config: config}, kong.Ref{}, "")
}

// RequireClientCertificate adds the plugin that refuses clients which were not validated.
func RequireClientCertificate(plugins []route.Plugin) []route.Plugin {
	return append(slices.Clip(plugins), route.NewPlugin(frontendPlugin, map[string]bool{"required": true}))
}
