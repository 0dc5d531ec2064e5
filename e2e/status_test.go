package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// Of two gateways, the holder of the Lease writes statuses. When it is gone, the other one
// does.
func TestStatusIsWrittenByOne(t *testing.T) {
	pod.NeedSeveral(t)
	cp := cluster(t)
	start := statusWriters(t, cp)
	ns := cp.Namespace(t)
	first := start("first", "192.0.2.1")
	cp.MustApply(t, ns, ingress("web", ns+".example", "/", "web"))
	wantAddress(t, cp, ns, "web", "192.0.2.1")
	second := start("second", "192.0.2.2")
	cp.MustApply(t, ns, ingress("more", "more."+ns+".example", "/", "web"))
	wantAddress(t, cp, ns, "more", "192.0.2.1")

	first.Stop()
	wantAddress(t, cp, ns, "web", "192.0.2.2")
	wantAddress(t, cp, ns, "more", "192.0.2.2")
	second.Stop()
}

// The pod's preStop hook makes the holder release the Lease at once, while it still answers requests.
func TestPreStopReleasesTheLease(t *testing.T) {
	pod.NeedSeveral(t)
	cp := cluster(t)
	start := statusWriters(t, cp)
	ns := cp.Namespace(t)
	first := start("first", "192.0.2.1")
	cp.MustApply(t, ns, ingress("web", ns+".example", "/", "web"))
	wantAddress(t, cp, ns, "web", "192.0.2.1")
	start("second", "192.0.2.2")

	first.PreStop()
	wantAddress(t, cp, ns, "web", "192.0.2.2")
	if err := first.Ready(); err != nil {
		t.Errorf("the gateway that ends no longer answers requests: %v", err)
	}
}

// statusWriters returns a function that starts a gateway with a name, which writes an address into statuses.
func statusWriters(t *testing.T, cp *lab.ControlPlane) func(name, address string) *pod.Pod {
	t.Helper()
	account := credentials(t, cp)
	return func(name, address string) *pod.Pod {
		return pod.Start(t, pod.Options{Credentials: account, Name: name, Settings: map[string]string{"PUBLISH_STATUS_ADDRESS": address}})
	}
}

func wantAddress(t *testing.T, cp *lab.ControlPlane, namespace, name, address string) {
	t.Helper()
	eventually.Nil(t, 2*time.Minute, func() error {
		ing, err := cp.Client.NetworkingV1().Ingresses(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if got := ing.Status.LoadBalancer.Ingress; len(got) != 1 || got[0].IP != address {
			return fmt.Errorf("status of Ingress %s is %v, want %s", name, got, address)
		}
		return nil
	})
}

// Ingresses have the addresses of the publish Service, also when these change. An Ingress of
// another class is left alone.
func TestStatusFromService(t *testing.T) {
	cp := cluster(t)
	ns := cp.Namespace(t)
	cp.MustApply(t, ns, `
apiVersion: v1
kind: Service
metadata: {name: proxy}
spec: {type: LoadBalancer, ports: [{port: 80}], selector: {app: none}}
`)
	balance(t, cp, ns, "192.0.2.3")
	gateway(t, cp, map[string]string{"PUBLISH_SERVICE": ns + "/proxy"})
	cp.MustApply(t, ns, ingress("web", ns+".example", "/", "web")+`---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: foreign}
spec: {ingressClassName: other, defaultBackend: {service: {name: web, port: {number: 80}}}}
`)
	wantAddress(t, cp, ns, "web", "192.0.2.3")
	balance(t, cp, ns, "192.0.2.4")
	wantAddress(t, cp, ns, "web", "192.0.2.4")
	foreign, err := cp.Client.NetworkingV1().Ingresses(ns).Get(t.Context(), "foreign", metav1.GetOptions{})
	if err != nil || len(foreign.Status.LoadBalancer.Ingress) != 0 {
		t.Errorf("the foreign Ingress has the status %v, %v", foreign.Status.LoadBalancer.Ingress, err)
	}
}

// balance sets the address of the Service, in place of a cloud's controller.
func balance(t *testing.T, cp *lab.ControlPlane, namespace, address string) {
	t.Helper()
	patch := fmt.Appendf(nil, `{"status":{"loadBalancer":{"ingress":[{"ip":%q}]}}}`, address)
	_, err := cp.Client.CoreV1().Services(namespace).Patch(t.Context(), "proxy", "application/merge-patch+json", patch, metav1.PatchOptions{}, "status")
	if err != nil {
		t.Fatal(err)
	}
}

// The certificate of a TLS Secret is served for its host, also after its rotation.
func TestTLSSecretRotates(t *testing.T) {
	cp := cluster(t)
	gw := gateway(t, cp, nil)
	ns := cp.Namespace(t)
	host := ns + ".example"
	first, second := keyPair(host), keyPair(host)
	cp.MustApply(t, ns, first.secret("cert")+"---"+app("web", host, 1)+fmt.Sprintf("  tls: [{hosts: [%s], secretName: cert}]\n", host))
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)
	wantCertificate(t, gw.HTTPS, host, first)
	cp.MustApply(t, ns, second.secret("cert"))
	wantCertificate(t, gw.HTTPS, host, second)
}

func wantCertificate(t *testing.T, address, host string, want pair) {
	t.Helper()
	block, _ := pem.Decode([]byte(want.cert))
	eventually.Nil(t, time.Minute, func() error {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(want.cert))
		conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: host, RootCAs: roots})
		if err != nil {
			return err
		}
		defer conn.Close()
		if served := conn.ConnectionState().PeerCertificates[0].Raw; !bytes.Equal(served, block.Bytes) {
			return fmt.Errorf("another certificate is served for %s", host)
		}
		return nil
	})
}

// The API server accepts every shipped manifest.
func TestManifestsAreValid(t *testing.T) {
	cp := cluster(t)
	gatewayKinds(t, cp)
	credentials(t, cp) // makes the Namespace that most of them are in
	var files []string
	for _, pattern := range []string{"*.yaml", "manifests/*/*.yaml"} {
		found, err := filepath.Glob("../kong-conf/" + pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no manifests %s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue // for kustomize, and of a kind that no API server knows
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !isManifest(string(raw)) {
			continue
		}
		if err := cp.DryRun(t.Context(), "default", string(raw)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
