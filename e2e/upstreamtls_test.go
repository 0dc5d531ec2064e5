package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/lab"
)

// rotation is a Service whose endpoints are verified, and verify who asks, while what they
// go by is replaced.
type rotation struct {
	scene
	server *authority
}

const rotatingCA = "3f4f0a9e-0000-4000-8000-0000000000"

// Certificates of upstreams are replaced while requests go there: that of the gateway, the
// authority that vouches for endpoints, and what endpoints show. What is withdrawn is not
// trusted any more, and nobody else meets an error.
func TestUpstreamTLSRotates(t *testing.T) {
	r := &rotation{scene: newScene(t, nil), server: newAuthority(t, nil, "root")}
	host := r.host("secure")
	clients := newAuthority(t, nil, "clients")
	between := newAuthority(t, r.server, "between")
	shown := between.issue(t, "server", host)
	shown.cert += between.pair.cert
	r.apply(t, shown.secret("server"), clients.issue(t, "client-1").secret("client")+caObject("ConfigMap", "client-ca", rotatingCA+"01", clients.pair.cert)+
		caObject("Secret", "server-ca", rotatingCA+"02", r.server.pair.cert)+secureApp+r.service("server-ca")+
		"---"+ingress("secure", host, "/", "secure"))
	r.wantClient(t, "client-1")
	t.Run("ClientCertificate", func(t *testing.T) {
		served := watchOnly(t, r.gw.HTTP, request{host: r.host("secure")}, http.StatusOK)
		r.apply(t, clients.issue(t, "client-2").secret("client"))
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

// want waits until requests are answered as they should be, by both of Kong's workers.
func (r *rotation) want(t *testing.T, check func(int, echoed) error) {
	t.Helper()
	lab.Eventually(t, time.Minute, func() error {
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

// wantClient waits until the endpoint sees another client.
func (r *rotation) wantClient(t *testing.T, name string) {
	t.Helper()
	r.want(t, func(status int, e echoed) error {
		return same("status and client", fmt.Sprint(status, e.TLS.ClientCNs), fmt.Sprintf("200 [%s]", name))
	})
}

// An authority is replaced under its id: what it had vouched for is not taken any more.
func (r *rotation) authorityInPlace(t *testing.T) {
	other := newAuthority(t, nil, "other")
	r.apply(t, caObject("Secret", "server-ca", rotatingCA+"02", other.pair.cert))
	r.want(t, answers(http.StatusBadGateway))
	r.apply(t, caObject("Secret", "server-ca", rotatingCA+"02", r.server.pair.cert))
	r.want(t, answers(http.StatusOK))
}

// Both authorities are trusted while endpoints go from the old to the new one, and the
// new one alone afterwards.
func (r *rotation) authority(t *testing.T) {
	next, host := newAuthority(t, nil, "next"), r.host("secure")
	served := watchOnly(t, r.gw.HTTP, request{host: host}, http.StatusOK)
	old := ready(t, r.cp, r.ns, 2)
	r.apply(t, caObject("Secret", "next-ca", rotatingCA+"03", next.pair.cert)+r.service("server-ca, next-ca"),
		next.issue(t, "server-2", host).secret("server-2"))
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

	// Connections of a Service that does not ask who answers are not for one that does.
	r.apply(t, secureService("trusting", "konghq.com/client-cert: client"), ingress("trusting", host, "/trusting", "trusting"))
	for range 6 {
		wantEcho(t, r.gw.HTTP, "GET", host, "/trusting", nil, answers(http.StatusOK))
		r.want(t, answers(http.StatusBadGateway))
	}
}
