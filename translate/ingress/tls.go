package ingress

import (
	"fmt"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"

	networkingv1 "k8s.io/api/networking/v1"
)

// anyHost is the server name under which Kong looks for a certificate of last resort.
const anyHost = "*"

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
			t.warn(c.Reason, "tls %d: %s", i, c.Message)
			continue
		}
		t.serve(i, tls, c.ID)
	}
}

func (t *translation) serve(i int, tls networkingv1.IngressTLS, certificateID string) {
	hosts := tls.Hosts
	if len(hosts) == 0 {
		hosts = []string{anyHost}
	}
	for _, name := range hosts {
		if name != anyHost {
			host, err := hostOf(name)
			if err == nil && !kong.IsName(string(host)) {
				err = fmt.Errorf("it is an address")
			}
			if err != nil || host == "" {
				t.warn("HostInvalid", "tls %d: %q is no host name: %v", i, name, err)
				continue
			}
			name = string(host)
		}
		entities := []*kong.Entity{kong.SNI(name, certificateID)}
		if !t.allowance.Take(entities, fmt.Sprintf("tls %d host %s", i, name)) {
			continue
		}
		t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
			Slot:     "sni " + name,
			Object:   t.key,
			Since:    t.ingress.CreationTimestamp.Time,
			Entities: entities,
			Lost: unit.Warning(t.key, "HostConflict",
				fmt.Sprintf("tls %d: the certificate for %s is another Ingress's to choose", i, name)),
		})
	}
}
