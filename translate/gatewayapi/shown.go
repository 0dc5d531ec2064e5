package gatewayapi

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// unshowable tells whether Kong itself can show none of its key pairs to one of the backends:
// it can where it speaks HTTP/1.1.
func unshowable(all []resolution) bool {
	return slices.ContainsFunc(all, func(f resolution) bool { return f.problem == nil && f.protocol == "grpcs" })
}

// show shows the key pair of the rule's Secret to those backends that are spoken to over TLS: by
// the relay, or by Kong, whose backend is b.
func (t *ruleTranslation) show(relayed bool, b *route.Backend) {
	switch secret := t.of.shown; {
	case secret.Name == "":
	case relayed:
		t.shown = certificate.UsePair(t.reader, secret.Namespace, secret.Name)
	case b.Protocol == "https":
		b.ClientCertificate = certificate.Use(t.reader, secret.Namespace, secret.Name).ID
	}
}

// clientCertificate is the Secret with the key pair that the Gateway shows to backends, or
// why there is none although it asks for it. Without it backends are spoken to all the same:
// what they let nobody do, they say.
func (t *gatewayTranslation) clientCertificate() (shown types.NamespacedName, wrong *diagnosis) {
	ref := clientCertificateRef(t.gateway)
	if ref == nil {
		return shown, nil
	}
	at := spec.Child("tls", "backend", "clientCertificateRef")
	unresolved := func(f unit.Fault, reason gatewayv1.GatewayConditionReason, format string, args ...any) (types.NamespacedName, *diagnosis) {
		c := gatewayUnresolvedRefs(reason, fmt.Sprintf(format, args...)).with(f)
		return types.NamespacedName{}, &c
	}
	shown.Namespace, shown.Name = string(value(ref.Namespace, gatewayv1.Namespace(t.gateway.Namespace))), string(ref.Name)
	if !unit.IsCore(value(ref.Group, "")) || value(ref.Kind, "Secret") != "Secret" {
		return unresolved(unit.At(at.Child("kind")), gatewayv1.GatewayReasonInvalidClientCertificateRef, "%s is of the kind %s; a client certificate is in a Secret",
			ref.Name, kindOf(value(ref.Group, ""), value(ref.Kind, "Secret")))
	}
	if to := unit.Secret.Key(shown.Namespace, shown.Name); !grant.Allows(t.reader, t.key, to) {
		return unresolved(unit.Lacking(at.Child("namespace"), grant.Missing(to)), gatewayv1.GatewayReasonRefNotPermitted, "no ReferenceGrant in namespace %s lets Gateways of namespace %s refer to Secret %s",
			shown.Namespace, t.gateway.Namespace, shown.Name)
	}
	if pair := certificate.UsePair(t.reader, shown.Namespace, shown.Name); pair.Certificate == "" {
		return unresolved(unit.Lacking(at.Child("name"), pair.Missing), gatewayv1.GatewayReasonInvalidClientCertificateRef, "%s", pair.Message)
	}
	return shown, nil
}

func clientCertificateRef(gateway *gatewayv1.Gateway) *gatewayv1.SecretObjectReference {
	if tls := gateway.Spec.TLS; tls != nil && tls.Backend != nil {
		return tls.Backend.ClientCertificateRef
	}
	return nil
}

// resolution is the condition of Gateways that refer to something themselves.
func (t *gatewayTranslation) resolution(wrong *diagnosis, all []assessment) []diagnosis {
	switch {
	case clientCertificateRef(t.gateway) == nil:
		return nil
	case wrong != nil:
		return []diagnosis{*wrong}
	case slices.ContainsFunc(all, func(a assessment) bool { return !isTrue(a.resolved) }):
		return []diagnosis{gatewayUnresolvedRefs(gatewayv1.GatewayReasonListenersNotResolved, "a listener has references that are not resolved").following(spec.Child("listeners"))}
	}
	return []diagnosis{gatewayResolvedRefs()}
}

// orNone names the Secret with a key pair.
func orNone(shown types.NamespacedName) string {
	if shown.Name == "" {
		return "none"
	}
	return "that of Secret " + shown.String()
}
