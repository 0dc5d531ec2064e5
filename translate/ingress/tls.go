package ingress

import (
	"fmt"
	"strings"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"

	networkingv1 "k8s.io/api/networking/v1"
)

// certificates translates spec.tls: each host is claimed for the Secret's
// certificate. A Secret that holds none claims nothing, so that another Ingress
// may still serve the host.
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

// served are the hosts that an entry's certificate is for: those that it names, or else
// those of the rules. A certificate for all hosts is one for those of other namespaces too.
func (t *translation) served(i int, tls networkingv1.IngressTLS) (hosts []string) {
	for j, name := range tls.Hosts {
		host, err := hostOf(name)
		if err == nil && !kong.IsName(string(host)) {
			err = fmt.Errorf("it is an address")
		}
		if err != nil || host == "" {
			t.warn(tlsField(i).Child("hosts").Index(j), "HostInvalid", "tls %d: %q is no host name: %v", i, name, err)
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
		t.warn(tlsField(i).Child("hosts"), "HostMissing", "tls %d names no hosts, and there is a rule or a default backend for all hosts: the certificate is for the hosts of the rules alone. "+
			"The setting LAST_RESORT_CERTIFICATE_NAMESPACES permits namespaces to have one for all", i)
	}
	return hosts
}

// ruleHosts are the hosts of the rules and their aliases that no entry names, each once, and
// whether the Ingress is for all hosts too.
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
			continue // the rule has its verdict
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
		Lost: unit.Warning(t.key, "HostConflict",
			fmt.Sprintf("tls %d: the certificate for %s is another Ingress's to choose", i, name)).At(tlsField(i)),
	})
}
