package l4

import (
	"fmt"
	"strings"

	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/hosts"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// certificates claims hosts for Secrets' certificates, like an Ingress.
func (t *translation) certificates(object *configurationv1beta1.TCPIngress) {
	owned := hosts.Of(object, t.key, t.options.Isolated)
	for i, tls := range object.Spec.TLS {
		if tls.SecretName == "" {
			continue
		}
		c := certificate.Use(t.reader, t.key.Namespace, tls.SecretName)
		if c.ID == "" {
			t.warn(unit.Lacking(tlsField(i).Child("secretName"), c.Missing), c.Reason, "tls %d: %s", i, c.Message)
			continue
		}
		for _, host := range t.served(i, object.Spec) {
			if certificate.OutOfReach(host) {
				t.fragment.Verdicts = append(t.fragment.Verdicts, certificate.WithoutEffect(t.key, fmt.Sprintf("tls %d", i), host).At(tlsField(i)))
			}
			t.claim(kong.Part{Name: fmt.Sprintf("tls %d host %s", i, host), Path: tlsField(i)}, unit.Claim{
				Slot:     unit.ServerNames.Slot(host),
				Entities: []*kong.Entity{kong.SNI(host, c.ID)},
				Same:     c.Fingerprint,
				Under:    owned.Certificate(&t.fragment, host, true, tlsField(i)),
				Lost: unit.Warning(t.key, "HostConflict",
					fmt.Sprintf("tls %d: another object chooses the certificate for %s", i, host)).At(tlsField(i)),
			})
		}
	}
}

func tlsField(i int) field.Path { return field.NewPath("spec", "tls").Index(i) }

// served returns the hosts of an entry's certificate: those that it names, or else those of the
// rules. A certificate for all hosts would include those of other namespaces.
func (t *translation) served(i int, spec configurationv1beta1.TCPIngressSpec) (hosts []string) {
	for j, host := range spec.TLS[i].Hosts {
		if host = strings.ToLower(host); !isHost(host) {
			t.warn(unit.At(tlsField(i).Child("hosts").Index(j)), "HostInvalid", "tls %d: %q is not a host name", i, host)
			continue
		}
		hosts = append(hosts, host)
	}
	if len(spec.TLS[i].Hosts) > 0 {
		return hosts
	}
	hosts, all := ruleHosts(spec)
	switch {
	case !all:
	case t.options.LastResort.Permits(t.key.Namespace):
		hosts = append(hosts, certificate.AnyHost)
	default:
		t.warn(unit.At(tlsField(i).Child("hosts")), "HostMissing", "tls %d names no hosts, and a rule is for all hosts: the certificate is only served for the hosts of the rules. "+
			"The setting LAST_RESORT_CERTIFICATE_NAMESPACES permits namespaces to have one for all hosts", i)
	}
	return hosts
}

// ruleHosts returns the distinct hosts of the rules that no entry names, and whether a rule is
// for all hosts.
func ruleHosts(spec configurationv1beta1.TCPIngressSpec) (hosts []string, all bool) {
	named := map[string]bool{}
	for _, tls := range spec.TLS {
		for _, host := range tls.Hosts {
			named[strings.ToLower(host)] = true
		}
	}
	for _, rule := range spec.Rules {
		host := strings.ToLower(rule.Host)
		all = all || host == ""
		if isHost(host) && !named[host] {
			named[host] = true
			hosts = append(hosts, host)
		}
	}
	return hosts, all
}

func isHost(host string) bool {
	return len(validation.IsDNS1123Subdomain(strings.TrimPrefix(host, "*."))) == 0 && kong.IsName(host)
}
