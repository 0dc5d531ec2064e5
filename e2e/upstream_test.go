package e2e

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

// Annotations of a Service set the Host header, time-outs and retries.
func TestServiceSettings(t *testing.T) {
	cp := cluster(t)
	gw := gateway(t, cp, nil)
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, app("web", host, 1)+"---"+
		facing("named", "konghq.com/host-header: internal.example")+
		facing("slow", "konghq.com/read-timeout: '300'\nkonghq.com/retries: '0'")+
		facing("based", "konghq.com/path: /base")+
		"---"+strings.Replace(ingress("named", "named."+host, "/", "named"), "metadata: {name: named}",
		"metadata: {name: named, annotations: {konghq.com/preserve-host: 'false'}}", 1)+
		"---"+ingress("slow", "slow."+host, "/", "slow")+
		"---"+ingress("based", "based."+host, "/", "based"))
	wantEcho(t, gw.HTTP, "GET", "named."+host, "/", nil, func(status int, e echoed) error {
		if status != http.StatusOK || e.Host != "internal.example:8080" {
			return fmt.Errorf("answers %d, the backend sees the host %q", status, e.Host)
		}
		return nil
	})
	wantEcho(t, gw.HTTP, "GET", "slow."+host, "/", nil, answers(http.StatusOK))
	eventually.Nil(t, time.Minute, func() error { // one worker may know the route before another does
		status, _, err := ask(gw.HTTP, "GET", "slow."+host, "/?delay=1h")
		if err == nil && status != http.StatusGatewayTimeout {
			err = fmt.Errorf("a slow endpoint is answered %d", status)
		}
		return err
	})
	wantEcho(t, gw.HTTP, "GET", "based."+host, "/x", nil, sees("/base/x"))
}

// facing returns another Service for the pods of the Deployment web, with annotations.
func facing(name, annotations string) string {
	return fmt.Sprintf(`
---
apiVersion: v1
kind: Service
metadata:
  name: %s
  annotations:
%s
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
`, name, indent(annotations, 4))
}

// Endpoints over TLS are verified by the Service's CA, and get its client certificate.
func TestUpstreamTLS(t *testing.T) {
	cp := cluster(t)
	gw := gateway(t, cp, nil)
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	// Kong verifies the name in the Host header.
	server, client, stranger := keyPair("secure."+host), keyPair("gateway-client"), keyPair("stranger")
	cp.MustApply(t, ns, server.secret("server")+"---"+client.secret("client")+
		caObject("Secret", "ca", "3f4f0a9e-0000-4000-8000-00000000000a", server.cert)+
		caObject("ConfigMap", "other-ca", "3f4f0a9e-0000-4000-8000-00000000000b", stranger.cert)+
		caObject("ConfigMap", "client-ca", "3f4f0a9e-0000-4000-8000-00000000000c", client.cert)+secureApp+
		secureService("secure", "konghq.com/client-cert: client\nkonghq.com/tls-verify: 'true'\nkonghq.com/ca-certificates-secrets: ca")+
		secureService("mistrusted", "konghq.com/client-cert: client\nkonghq.com/tls-verify: 'true'\nkonghq.com/ca-certificates-configmaps: other-ca")+
		secureService("unshown", "konghq.com/tls-verify: 'false'")+
		secureService("unverified", "konghq.com/client-cert: client")+
		secureService("without", "konghq.com/client-cert: client\nkonghq.com/tls-verify: 'true'\nkonghq.com/ca-certificates-secrets: gone")+
		"---"+ingress("secure", "secure."+host, "/", "secure")+"---"+ingress("mistrusted", "mistrusted."+host, "/", "mistrusted")+
		"---"+ingress("unshown", "unshown."+host, "/", "unshown")+"---"+ingress("unverified", "unverified."+host, "/", "unverified")+
		"---"+ingress("without", "without."+host, "/", "without"))
	known := func(status int, e echoed) error {
		if status != http.StatusOK || strings.Join(e.TLS.ClientCNs, "") != "gateway-client" {
			return fmt.Errorf("answers %d, the backend sees the client %q", status, e.TLS.ClientCNs)
		}
		return nil
	}
	wantEcho(t, gw.HTTP, "GET", "secure."+host, "/", nil, known)
	wantEcho(t, gw.HTTP, "GET", "unverified."+host, "/", nil, known)
	wantEcho(t, gw.HTTP, "GET", "mistrusted."+host, "/", nil, answers(http.StatusBadGateway))
	// The endpoint refuses a client without a certificate.
	wantEcho(t, gw.HTTP, "GET", "unshown."+host, "/", nil, answers(http.StatusBadGateway))
	// If the CA is missing, no other CA is used.
	wantEcho(t, gw.HTTP, "GET", "without."+host, "/", nil, answers(http.StatusServiceUnavailable))

	// The correction takes effect at once.
	cp.MustApply(t, ns, secureService("mistrusted", "konghq.com/client-cert: client\nkonghq.com/tls-verify: 'true'\nkonghq.com/ca-certificates-secrets: ca\nkonghq.com/host-header: secure."+host)+
		"---"+strings.Replace(ingress("mistrusted", "mistrusted."+host, "/", "mistrusted"), "metadata: {name: mistrusted}",
		"metadata: {name: mistrusted, annotations: {konghq.com/preserve-host: 'false'}}", 1))
	wantEcho(t, gw.HTTP, "GET", "mistrusted."+host, "/", nil, known)
}

// caObject returns a Secret or ConfigMap with a CA certificate.
func caObject(kind, name, id, cert string) string {
	field := "data"
	if kind == "Secret" {
		field = "stringData"
	}
	return fmt.Sprintf("\n---\napiVersion: v1\nkind: %s\nmetadata: {name: %s, labels: {konghq.com/ca-cert: 'true'}}\n%s:\n  id: %s\n  ca.crt: |\n%s\n",
		kind, name, field, id, indent(cert, 4))
}

// secureApp wants a certificate of its clients.
const secureApp = `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: secure}
spec:
  replicas: 1
  selector: {matchLabels: {app: secure}}
  template:
    metadata: {labels: {app: secure}}
    spec:
      volumes:
      - {name: server, secret: {secretName: server}}
      - {name: clients, configMap: {name: client-ca}}
      containers:
      - name: echo
        image: kube-sync/echo:dev
        volumeMounts:
        - {name: server, mountPath: /server}
        - {name: clients, mountPath: /clients}
        env:
        - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: HTTPS_PORT, value: "8443"}
        - {name: TLS_CERT_FILE, value: /server/tls.crt}
        - {name: TLS_KEY_FILE, value: /server/tls.key}
        - {name: TLS_CLIENT_CA_FILE, value: /clients/ca.crt}
        readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
`

// secureService returns a Service for its pods over TLS, with annotations.
func secureService(name, annotations string) string {
	return fmt.Sprintf(`
---
apiVersion: v1
kind: Service
metadata:
  name: %s
  annotations:
    konghq.com/protocol: https
%s
spec:
  selector: {app: secure}
  ports: [{name: https, port: 80, targetPort: 8443}]
`, name, indent(annotations, 4))
}

// upstreamPolicy returns a KongUpstreamPolicy with a spec in YAML.
func upstreamPolicy(name, spec string) string {
	return fmt.Sprintf("\n---\napiVersion: configuration.konghq.com/v1beta1\nkind: KongUpstreamPolicy\nmetadata: {name: %s}\nspec:\n%s\n",
		name, indent(spec, 2))
}

// Consistent hashing by a header with a hyphen keeps each client at one pod, and spreads clients
// over all pods.
func TestUpstreamPolicyHashes(t *testing.T) {
	cp := cluster(t)
	kongKinds(t, cp)
	gw := gateway(t, cp, nil)
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, app("web", "base."+host, 3)+facing("hashed", "konghq.com/upstream-policy: hashed")+
		upstreamPolicy("hashed", "algorithm: consistent-hashing\nhashOn: {header: X-Session}\nhashOnFallback: {input: ip}")+
		"---"+ingress("hashed", host, "/", "hashed"))
	ready(t, cp, ns, 3)
	eventually.Nil(t, time.Minute, func() error {
		used := map[string]bool{}
		for session := range 12 {
			pods := map[string]bool{}
			for range 4 {
				status, e, err := ask(gw.HTTP, "GET", host, "/", "X-Session", fmt.Sprintf("client-%d", session))
				if err != nil || status != http.StatusOK {
					return fmt.Errorf("answers %d, %v", status, err)
				}
				pods[e.Pod], used[e.Pod] = true, true
			}
			if len(pods) != 1 {
				return fmt.Errorf("session %d is at %v", session, pods)
			}
		}
		if len(used) < 2 {
			return fmt.Errorf("all sessions are at %v", used)
		}
		return nil
	})
}

// Active and passive health checks remove a failing pod.
func TestUpstreamPolicyChecksHealth(t *testing.T) {
	cp := cluster(t)
	kongKinds(t, cp)
	gw := gateway(t, cp, nil)
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, strings.Replace(app("web", "base."+host, 2), "readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}", "", 1)+
		facing("active", "konghq.com/upstream-policy: active")+
		upstreamPolicy("active", `healthchecks:
  active:
    type: http
    httpPath: /healthz
    healthy: {interval: 1, successes: 1}
    unhealthy: {interval: 1, httpFailures: 1, httpStatuses: [503]}`)+
		facing("passive", "konghq.com/upstream-policy: passive")+
		upstreamPolicy("passive", `healthchecks:
  passive:
    type: http
    unhealthy: {httpFailures: 1, httpStatuses: [500]}`)+
		"---"+ingress("active", "active."+host, "/", "active")+"---"+ingress("passive", "passive."+host, "/", "passive"))
	pods := ready(t, cp, ns, 2)
	for _, name := range []string{"active.", "passive."} {
		eventually.Nil(t, time.Minute, func() error { return sameElements("pods that answer", seen(gw.HTTP, name+host), pods) })
	}
	// Passive: one answer of 500 takes the pod that gave it out, in the worker that saw it
	// and soon in all.
	var failed echoed
	eventually.Nil(t, time.Minute, func() error { // one worker may know the route before another does
		var status int
		var err error
		status, failed, err = ask(gw.HTTP, "GET", "passive."+host, "/?status=500")
		if err != nil {
			return err
		}
		return same("the status that is asked for", status, http.StatusInternalServerError)
	})
	eventually.Nil(t, time.Minute, func() error {
		return sameElements("pods that answer", seen(gw.HTTP, "passive."+host), without(pods, failed.Pod))
	})
	// Active: a pod that calls itself ill gets nothing.
	ill := setHealth(t, gw.HTTP, "active."+host, "503")
	eventually.Nil(t, time.Minute, func() error {
		return sameElements("pods that answer", seen(gw.HTTP, "active."+host), without(pods, ill))
	})
	// It is back when it is well again.
	heal(t, cp, ns, pods)
	eventually.Nil(t, time.Minute, func() error { return sameElements("pods that answer", seen(gw.HTTP, "active."+host), pods) })
}

// heal makes pods healthy, without the gateway.
func heal(t *testing.T, cp *lab.ControlPlane, ns string, pods []string) {
	t.Helper()
	for _, name := range pods {
		pod, err := cp.Client.CoreV1().Pods(ns).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if status, _, err := ask(net.JoinHostPort(pod.Status.PodIP, "8080"), "PUT", name, "/healthz?status=200"); err != nil || status != http.StatusOK {
			t.Fatalf("%d, %v", status, err)
		}
	}
}

// setHealth changes the health of one pod, any of them, and returns its name.
func setHealth(t *testing.T, address, host, status string) (pod string) {
	t.Helper()
	if got, _, err := ask(address, "PUT", host, "/healthz?status="+status); err != nil || got != http.StatusOK {
		t.Fatalf("%d, %v", got, err)
	}
	var left []string
	eventually.Nil(t, time.Minute, func() error {
		if left = seen(address, host); len(left) != 1 {
			return fmt.Errorf("%v answer", left)
		}
		return nil
	})
	return "not " + left[0]
}

// without returns all pods but one; "not x" stands for all but x.
func without(pods []string, gone string) []string {
	var left []string
	for _, pod := range pods {
		if keep, only := strings.CutPrefix(gone, "not "); only && pod == keep || !only && pod != gone {
			left = append(left, pod)
		}
	}
	return left
}

// seen returns the pods that answer some requests.
func seen(address, host string) []string {
	pods := map[string]bool{}
	for range 24 {
		if status, e, err := ask(address, "GET", host, "/"); err == nil && status == http.StatusOK {
			pods[e.Pod] = true
		}
	}
	var names []string
	for pod := range pods {
		names = append(names, pod)
	}
	return names
}
