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

// Certificate is the certificate that a Gateway has for a server name.
type Certificate struct {
	ID, Fingerprint string
	Since           time.Time // the age of the object that has the listener
}

// resolve finds a listener's certificates, and reports whether it can be served. Without any
// named it is served with Kong's own certificate, as in the Kong Ingress Controller.
func (t *translation) resolve(a *assessment) bool {
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
// then all for those of their own names that are within it and not a more specific listener's.
func (t *translation) certify(all []assessment) {
	for _, a := range all {
		if len(a.certificates) > 0 {
			t.serve(a, serverName(hostname.Of(a.spec.Hostname)), a.certificates[0])
			t.unnamed(a)
		}
	}
	looked := 0
	for _, a := range all {
		host := hostname.Of(a.spec.Hostname)
		for _, c := range a.certificates {
			if looked += len(c.Names) * (1 + len(a.moreSpecific)); looked > limit.Comparisons {
				t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(a.of, "ObjectTooLarge",
					fmt.Sprintf("listener %s: its certificates and those of later listeners are served for the listeners' host names alone: there are too many names in certificates to look through", a.spec.Name)).At(a.path))
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

// serverName is the name under which Kong looks for the certificate of a host.
func serverName(host route.Host) string {
	if host == "" {
		return certificate.AnyHost
	}
	return string(host)
}

// unnamed says of a listener that its certificate is for no name at all. One for all hosts
// is one for those of other namespaces too.
func (t *translation) unnamed(a assessment) {
	if hostname.Of(a.spec.Hostname) != "" || t.lastResort.Permits(a.of.Namespace) ||
		slices.ContainsFunc(a.certificates, func(c certificate.Certificate) bool { return len(c.Names) > 0 }) {
		return
	}
	t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(a.of, "HostMissing", fmt.Sprintf(
		"listener %s has no hostname, and its certificate no DNS names that it could be for. "+
			"The setting LAST_RESORT_CERTIFICATE_NAMESPACES permits namespaces to have one for all hosts", a.spec.Name)).At(a.path.Child("hostname")))
}

// certificate is what an object refers to, or why it cannot be had.
func (t *translation) certificate(from unit.Key, ref gatewayv1.SecretObjectReference, at field.Path) (certificate.Certificate, *condition.Diagnosis) {
	unresolved := func(f unit.Fault, reason gatewayv1.ListenerConditionReason, format string, args ...any) (certificate.Certificate, *condition.Diagnosis) {
		c := listenerUnresolvedRefs(reason, fmt.Sprintf(format, args...)).With(f)
		return certificate.Certificate{}, &c
	}
	namespace := string(ptr.Deref(ref.Namespace, gatewayv1.Namespace(from.Namespace)))
	if !unit.IsCore(ptr.Deref(ref.Group, "")) || ptr.Deref(ref.Kind, "Secret") != "Secret" {
		return unresolved(unit.At(at.Child("kind")), gatewayv1.ListenerReasonInvalidCertificateRef, "a certificate is in a Secret, not in a %s", ptr.Deref(ref.Kind, ""))
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
		Under:    t.claimsOf(a).Certificate(&t.fragment, name, a.listener().From == gatewayv1.NamespacesFromSame, a.path),
		Lost:     unit.Warning(a.of, "HostConflict", "the certificate for "+name+" is another object's to choose").At(a.path),
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
