package ingress

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"

	networkingv1 "k8s.io/api/networking/v1"
)

// certificates translates spec.tls: it claims each host for the Secret's certificate. Without a valid
// certificate it claims nothing, so that another Ingress can serve the host.
func (t *translation) certificates() {
	for i, tls := range t.ingress.Spec.TLS {
		if tls.SecretName == "" {
			continue // Kong's own default certificate serves the hosts
		}
		c := certificate.Use(t.reader, t.key.Namespace, tls.SecretName)
		if c.ID == "" {
			t.fault(unit.Lacking(tlsField(i).Child("secretName"), c.Missing), c.Reason, "tls %d: %s", i, c.Message)
			continue
		}
		for _, host := range t.served(i, tls) {
			t.serve(i, host, c)
		}
	}
}

func tlsField(i int) field.Path { return spec.Child("tls").Index(i) }

// served returns the hosts of an entry's certificate: the ones that it names, or else those of the
// rules. A certificate for all hosts needs a permission, as it serves other namespaces' hosts too.
func (t *translation) served(i int, tls networkingv1.IngressTLS) (hosts []string) {
	for j, name := range tls.Hosts {
		host, err := hostOf(name)
		switch {
		case err != nil:
		case host == "":
			err = errors.New("the host is empty")
		case !kong.IsName(string(host)):
			err = fmt.Errorf("host %q is an IP address; only host names have certificates", name)
		}
		if err != nil {
			t.warn(tlsField(i).Child("hosts").Index(j), condition.ReasonHostInvalid, "tls %d: %v", i, err)
			continue
		}
		hosts = append(hosts, string(host))
	}
	if len(tls.Hosts) > 0 {
		return hosts
	}
	hosts, all := t.ruleHosts()
	switch {
	case !all:
	case t.lastResort.Permits(t.key.Namespace):
		hosts = append(hosts, certificate.AnyHost)
	default:
		t.warn(tlsField(i).Child("hosts"), condition.ReasonHostMissing, "tls %d names no hosts, so its certificate is served for the hosts of the rules only, although there is a rule or default backend for all hosts. "+
			"The setting LAST_RESORT_CERTIFICATE_NAMESPACES permits namespaces to set a certificate for all hosts", i)
	}
	return hosts
}

// ruleHosts returns the hosts and aliases of the rules that no entry names, each once, and whether a
// rule or the default backend is for all hosts.
func (t *translation) ruleHosts() (hosts []string, all bool) {
	all = t.ingress.Spec.DefaultBackend != nil
	named := map[string]bool{}
	for _, tls := range t.ingress.Spec.TLS {
		for _, host := range tls.Hosts {
			named[strings.ToLower(host)] = true
		}
	}
	for _, rule := range t.ingress.Spec.Rules {
		host, err := hostOf(rule.Host)
		if err != nil {
			continue // the rule already has a verdict
		}
		all = all || host == ""
		for _, host := range t.hosts(host) {
			if kong.IsName(string(host)) && !named[string(host)] {
				named[string(host)] = true
				hosts = append(hosts, string(host))
			}
		}
	}
	return hosts, all
}

func (t *translation) serve(i int, name string, c certificate.Certificate) {
	entities := []*kong.Entity{kong.SNI(name, c.ID)}
	if !t.allowance.Take(entities, kong.Part{Name: fmt.Sprintf("tls %d host %s", i, name), Path: tlsField(i)}) {
		return
	}
	if certificate.OutOfReach(name) {
		t.fragment.Verdicts = append(t.fragment.Verdicts, certificate.WithoutEffect(t.key, fmt.Sprintf("tls %d", i), name).At(tlsField(i)))
	}
	t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
		Slot:     unit.ServerNames.Slot(name),
		Object:   t.key,
		Since:    t.ingress.CreationTimestamp.Time,
		Entities: entities,
		Same:     c.Fingerprint,
		Under:    t.owned.Certificate(&t.fragment, name, true, tlsField(i)),
		Lost: unit.Warning(t.key, condition.ReasonHostConflict,
			fmt.Sprintf("tls %d: another object determines the certificate for %s", i, name)).At(tlsField(i)),
	})
}
