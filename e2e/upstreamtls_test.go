package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// rotation is a Service with mutual TLS to its endpoints, whose certificates are replaced.
type rotation struct {
	scene
	server *authority
}

const rotatingCA = "3f4f0a9e-0000-4000-8000-0000000000"

// Certificates of upstreams are replaced under load: the client certificate, the authority of the endpoints, and the
// endpoints' certificates. Withdrawn ones are not trusted any more, and no other request fails.
func TestUpstreamTLSRotates(t *testing.T) {
	r := &rotation{scene: newScene(t, nil), server: newAuthority(nil, "root")}
	host := r.host("secure")
	clients := newAuthority(nil, "clients")
	between := newAuthority(r.server, "between")
	shown := between.issue("server", host)
	shown.cert += between.cert
	r.apply(t, shown.secret("server"), clients.issue("client-1").secret("client")+caObject("ConfigMap", "client-ca", rotatingCA+"01", clients.cert)+
		caObject("Secret", "server-ca", rotatingCA+"02", r.server.cert)+secureApp+r.service("server-ca")+
		"---"+ingress("secure", host, "/", "secure"))
	r.wantClient(t, "client-1")
	t.Run("ClientCertificate", func(t *testing.T) {
		served := watchOnly(t, r.gw.HTTP, request{host: r.host("secure")}, http.StatusOK)
		r.apply(t, clients.issue("client-2").secret("client"))
		r.wantClient(t, "client-2")
		served.stop(t)
	})
	t.Run("Depth", func(t *testing.T) {
		r.apply(t, r.service("server-ca", "konghq.com/tls-verify-depth: '0'"))
		r.want(t, answers(http.StatusBadGateway))
		r.apply(t, r.service("server-ca", "konghq.com/tls-verify-depth: '1'"))
		r.want(t, answers(http.StatusOK))
	})
	t.Run("AuthorityInPlace", r.authorityInPlace)
	t.Run("Authority", r.authority)
}

// service is that of the endpoints, verified by CA Secrets.
func (r *rotation) service(cas string, more ...string) string {
	return secureService("secure", "konghq.com/client-cert: client\nkonghq.com/tls-verify: 'true'\nkonghq.com/ca-certificates-secrets: "+
		strings.Join(append([]string{cas}, more...), "\n"))
}

// want waits until requests get the expected answer, from both of Kong's workers.
func (r *rotation) want(t *testing.T, check func(int, echoed) error) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		for range 6 {
			status, e, err := ask(r.gw.HTTP, "GET", r.host("secure"), "/")
			if err == nil {
				err = check(status, e)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// wantClient waits until the endpoint gets another client certificate.
func (r *rotation) wantClient(t *testing.T, name string) {
	t.Helper()
	r.want(t, func(status int, e echoed) error {
		return same("status and client", fmt.Sprint(status, e.TLS.ClientCNs), fmt.Sprintf("200 [%s]", name))
	})
}

// An authority is replaced under its id. Certificates of the old one are not accepted any more.
func (r *rotation) authorityInPlace(t *testing.T) {
	other := newAuthority(nil, "other")
	r.apply(t, caObject("Secret", "server-ca", rotatingCA+"02", other.cert))
	r.want(t, answers(http.StatusBadGateway))
	r.apply(t, caObject("Secret", "server-ca", rotatingCA+"02", r.server.cert))
	r.want(t, answers(http.StatusOK))
}

// Both authorities are trusted while endpoints change from the old to the new one. Later only the new one is trusted.
func (r *rotation) authority(t *testing.T) {
	next, host := newAuthority(nil, "next"), r.host("secure")
	served := watchOnly(t, r.gw.HTTP, request{host: host}, http.StatusOK)
	old := ready(t, r.cp, r.ns, 2)
	r.apply(t, caObject("Secret", "next-ca", rotatingCA+"03", next.cert)+r.service("server-ca, next-ca"),
		next.issue("server-2", host).secret("server-2"))
	r.want(t, answers(http.StatusOK))
	r.apply(t, strings.Replace(secureApp, "secretName: server}", "secretName: server-2}", 1))
	r.want(t, func(status int, e echoed) error {
		for _, pod := range old {
			if status != http.StatusOK || e.Pod == pod {
				return fmt.Errorf("answers %d from %s, one of %v", status, e.Pod, old)
			}
		}
		return nil
	})
	ready(t, r.cp, r.ns, 2)
	r.apply(t, r.service("next-ca"))
	r.want(t, answers(http.StatusOK))
	served.stop(t)
	r.apply(t, r.service("server-ca"))
	r.want(t, answers(http.StatusBadGateway))

	// A Service that verifies its endpoints does not use connections of one that does not.
	r.apply(t, secureService("trusting", "konghq.com/client-cert: client"), ingress("trusting", host, "/trusting", "trusting"))
	for range 6 {
		wantEcho(t, r.gw.HTTP, "GET", host, "/trusting", nil, answers(http.StatusOK))
		r.want(t, answers(http.StatusBadGateway))
	}
}
