package gateway

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// clientCertificate returns the Secret with the key pair that the Gateway presents to backends, or
// what is wrong with the reference. If the reference is wrong, Kong connects without a client
// certificate, and backends that require one refuse the connection.
func (t *translation) clientCertificate() (secret types.NamespacedName, wrong *condition.Diagnosis) {
	ref := clientCertificateRef(t.gateway)
	if ref == nil {
		return secret, nil
	}
	at := field.Spec.Child("tls", "backend", "clientCertificateRef")
	unresolved := func(f unit.Fault, reason gatewayv1.GatewayConditionReason, format string, args ...any) (types.NamespacedName, *condition.Diagnosis) {
		c := gatewayUnresolvedRefs(reason, fmt.Sprintf(format, args...)).With(f)
		return types.NamespacedName{}, &c
	}
	secret.Namespace, secret.Name = string(ptr.Deref(ref.Namespace, gatewayv1.Namespace(t.gateway.Namespace))), string(ref.Name)
	if !unit.IsCore(ptr.Deref(ref.Group, "")) || ptr.Deref(ref.Kind, "Secret") != "Secret" {
		return unresolved(unit.At(at.Child("kind")), gatewayv1.GatewayReasonInvalidClientCertificateRef, "%s is of kind %s; only Secrets can hold client certificates",
			ref.Name, unit.QualifiedKind(ptr.Deref(ref.Group, ""), ptr.Deref(ref.Kind, "Secret")))
	}
	if to := unit.Secret.Key(secret.Namespace, secret.Name); !grant.Allows(t.reader, t.key, to) {
		return unresolved(unit.Lacking(at.Child("namespace"), grant.Missing(to)), gatewayv1.GatewayReasonRefNotPermitted, "no ReferenceGrant in namespace %s allows Gateways of namespace %s to refer to Secret %s",
			secret.Namespace, t.gateway.Namespace, secret.Name)
	}
	if pair := certificate.UsePair(t.reader, secret.Namespace, secret.Name); pair.Certificate == "" {
		return unresolved(unit.Lacking(at.Child("name"), pair.Missing), gatewayv1.GatewayReasonInvalidClientCertificateRef, "%s", pair.Message)
	}
	return secret, nil
}

func clientCertificateRef(gateway *gatewayv1.Gateway) *gatewayv1.SecretObjectReference {
	if tls := gateway.Spec.TLS; tls != nil && tls.Backend != nil {
		return tls.Backend.ClientCertificateRef
	}
	return nil
}

// resolution returns the condition ResolvedRefs, which only Gateways with a clientCertificateRef have.
func (t *translation) resolution(wrong *condition.Diagnosis, all []assessment) []condition.Diagnosis {
	switch {
	case clientCertificateRef(t.gateway) == nil:
		return nil
	case wrong != nil:
		return []condition.Diagnosis{*wrong}
	case slices.ContainsFunc(all, func(a assessment) bool { return !condition.IsTrue(a.resolved) }):
		return []condition.Diagnosis{gatewayUnresolvedRefs(gatewayv1.GatewayReasonListenersNotResolved, "a listener has unresolved references").Following(field.Spec.Child("listeners"))}
	}
	return []condition.Diagnosis{gatewayResolvedRefs()}
}
