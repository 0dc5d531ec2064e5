package gateway

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/hosts"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Certificate is a Gateway's certificate for a server name.
type Certificate struct {
	ID, Fingerprint string
	Since           time.Time // when the object with the listener was created
}

// resolve resolves a listener's certificateRefs, and reports whether it can be served. Without
// certificateRefs, Kong's own certificate is served, as with the Kong Ingress Controller.
func (t *translation) resolve(a *assessment) bool {
	var refs []gatewayv1.SecretObjectReference
	if a.spec.TLS != nil {
		refs = a.spec.TLS.CertificateRefs
	}
	if len(refs) == 0 {
		t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(a.of, "CertificateMissing",
			fmt.Sprintf("listener %s has no tls.certificateRefs: Kong presents its own certificate, which clients do not trust", a.spec.Name)).At(a.path.Child("tls", "certificateRefs")))
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

// certify claims server names for the certificates of listeners. Each listener's first certificate
// is served for its hostname. All are then served for those of their own DNS names that the
// hostname covers and no more specific listener does.
func (t *translation) certify(all []assessment) {
	for _, a := range all {
		if len(a.certificates) > 0 {
			t.serve(a, serverName(hostname.Of(a.spec.Hostname)), a.certificates[0])
			t.unnamed(a)
		}
	}
	comparisons := 0
	for _, a := range all {
		host := hostname.Of(a.spec.Hostname)
		for _, c := range a.certificates {
			if comparisons += len(c.Names) * (1 + len(a.moreSpecific)); comparisons > limit.Comparisons {
				t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(a.of, condition.ReasonObjectTooLarge,
					fmt.Sprintf("listener %s: the certificates of this and later listeners are served for the hostnames of the listeners only, because they contain too many DNS names", a.spec.Name)).At(a.path))
				return
			}
			for _, name := range c.Names {
				moreSpecific := func(other route.Host) bool { return hostname.Covers(other, route.Host(name)) }
				if hostname.Covers(host, route.Host(name)) && !slices.ContainsFunc(a.moreSpecific, moreSpecific) {
					t.serve(a, name, c)
				}
			}
		}
	}
}

// serverName returns the name under which Kong looks up the certificate of a host.
func serverName(host route.Host) string {
	if host == "" {
		return certificate.AnyHost
	}
	return string(host)
}

// unnamed warns about a listener whose certificates are served for no name. A certificate for all
// hosts would be served for other namespaces' hosts too, so it needs a permission.
func (t *translation) unnamed(a assessment) {
	if hostname.Of(a.spec.Hostname) != "" || t.lastResort.Permits(a.of.Namespace) ||
		slices.ContainsFunc(a.certificates, func(c certificate.Certificate) bool { return len(c.Names) > 0 }) {
		return
	}
	t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(a.of, condition.ReasonHostMissing, fmt.Sprintf(
		"listener %s has no hostname and its certificate has no DNS names, so it is served for no host. "+
			"The setting LAST_RESORT_CERTIFICATE_NAMESPACES permits namespaces to set a certificate for all hosts", a.spec.Name)).At(a.path.Child("hostname")))
}

// certificate returns the certificate that an object refers to, or the reason why it is unavailable.
func (t *translation) certificate(from unit.Key, ref gatewayv1.SecretObjectReference, at field.Path) (certificate.Certificate, *condition.Diagnosis) {
	unresolved := func(f unit.Fault, reason gatewayv1.ListenerConditionReason, format string, args ...any) (certificate.Certificate, *condition.Diagnosis) {
		c := listenerUnresolvedRefs(reason, fmt.Sprintf(format, args...)).With(f)
		return certificate.Certificate{}, &c
	}
	namespace := string(ptr.Deref(ref.Namespace, gatewayv1.Namespace(from.Namespace)))
	if !unit.IsCore(ptr.Deref(ref.Group, "")) || ptr.Deref(ref.Kind, "Secret") != "Secret" {
		return unresolved(unit.At(at.Child("kind")), gatewayv1.ListenerReasonInvalidCertificateRef, "%s is of kind %s; only Secrets can hold certificates", ref.Name, unit.QualifiedKind(ptr.Deref(ref.Group, ""), ptr.Deref(ref.Kind, "Secret")))
	}
	if to := unit.Secret.Key(namespace, string(ref.Name)); !grant.Allows(t.reader, from, to) {
		return unresolved(unit.Lacking(at.Child("namespace"), grant.Missing(to)), gatewayv1.ListenerReasonRefNotPermitted, "no ReferenceGrant in namespace %s allows %ss of namespace %s to refer to Secret %s",
			namespace, from.Kind, from.Namespace, ref.Name)
	}
	c := certificate.Use(t.reader, namespace, string(ref.Name))
	if c.ID == "" {
		return unresolved(unit.Lacking(at.Child("name"), c.Missing), gatewayv1.ListenerReasonInvalidCertificateRef, "%s", c.Message)
	}
	return c, nil
}

// serve claims a server name for a listener, unless another listener of the Gateway has it.
func (t *translation) serve(a assessment, name string, c certificate.Certificate) {
	if _, ok := t.named[name]; ok || !kong.IsName(name) || name == certificate.AnyHost && !t.lastResort.Permits(a.of.Namespace) {
		return
	}
	t.named[name] = Certificate{c.ID, c.Fingerprint, a.since}
	if certificate.OutOfReach(name) {
		t.fragment.Verdicts = append(t.fragment.Verdicts, certificate.WithoutEffect(a.of, "listener "+string(a.spec.Name), name).At(a.path))
	}
	t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
		Slot:     unit.ServerNames.Slot(name),
		Object:   a.of,
		Since:    a.since,
		Entities: []*kong.Entity{kong.SNI(name, c.ID)},
		Same:     c.Fingerprint,
		Under:    t.claimsOf(a).Certificate(&t.fragment, name, a.routes.from == gatewayv1.NamespacesFromSame, a.path),
		Lost:     unit.Warning(a.of, condition.ReasonHostConflict, "another object determines the certificate for "+name).At(a.path),
	})
}

func (t *translation) claimsOf(a assessment) hosts.Claims {
	claims, ok := t.hosts[a.of]
	if !ok {
		claims = hosts.By(a.of, a.since, t.isolated)
		t.hosts[a.of] = claims
	}
	return claims
}
