package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

// A Deployment, a Service and an Ingress are all that a user makes. Its pods answer;
// while it scales no request fails, new pods get traffic and removed ones none.
func TestDeploymentScales(t *testing.T) {
	cp := cluster(t)
	gw := gateway(t, cp, nil)
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, app("web", host, 1))
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)

	traffic := startLoad(t, gw.HTTP, host)
	first := ready(t, cp, ns, 1)
	scale(t, cp, ns, 3)
	three := ready(t, cp, ns, 3)
	eventually.Nil(t, time.Minute, func() error { return sameElements("pods that answer", traffic.Pods(), three) })

	scale(t, cp, ns, 1)
	last := ready(t, cp, ns, 1)
	eventually.Nil(t, time.Minute, func() error {
		traffic.Forget()
		traffic.Answered(t, 30)
		return sameElements("pods that answer", traffic.Pods(), last)
	})
	traffic.Stop(t)
	t.Logf("from %v to %v to %v", first, three, last)
}

// scale sets the replicas of the Deployment web.
func scale(t *testing.T, cp *lab.ControlPlane, namespace string, replicas int) {
	t.Helper()
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	_, err := cp.Client.AppsV1().Deployments(namespace).Patch(t.Context(), "web", types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// ready waits until a namespace has so many pods, all ready and none on its way out,
// and gives their names.
func ready(t *testing.T, cp *lab.ControlPlane, namespace string, n int) []string {
	t.Helper()
	var names []string
	eventually.Nil(t, time.Minute, func() error {
		pods, err := cp.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		names = nil
		for _, p := range pods.Items {
			if p.DeletionTimestamp != nil {
				return fmt.Errorf("pod %s is on its way out", p.Name)
			}
			if len(p.Status.ContainerStatuses) == 1 && p.Status.ContainerStatuses[0].Ready {
				names = append(names, p.Name)
			}
		}
		if len(names) != n || len(pods.Items) != n {
			return fmt.Errorf("%d pods of %d are ready, want %d", len(names), len(pods.Items), n)
		}
		return nil
	})
	slices.Sort(names)
	return names
}

func sameElements(what string, got, want []string) error {
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("%s: %v, want %v", what, got, want)
	}
	return nil
}

// Bad objects beside good ones: the good ones serve, and the bad ones say why.
func TestBadInputNeverStopsTheGood(t *testing.T) {
	cp := cluster(t)
	gw := gateway(t, cp, nil)
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, app("web", host, 1))
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)

	cp.MustApply(t, ns, ingress("missing-service", "gone."+host, "/", "gone")+"---"+`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: broken-regex}
spec:
  ingressClassName: kong
  rules:
  - host: regex.`+host+`
    http:
      paths:
      - {path: "/~/[a-", pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}
      - {path: /good, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: v1
kind: Secret
metadata: {name: garbage}
data: {tls.crt: Z2FyYmFnZQ==, tls.key: Z2FyYmFnZQ==}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: garbage-tls}
spec:
  ingressClassName: kong
  tls: [{hosts: [tls.`+host+`], secretName: garbage}]
  rules:
  - host: tls.`+host+`
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: of-nginx, annotations: {nginx.ingress.kubernetes.io/use-regex: "true"}}
spec:
  ingressClassName: kong
  rules:
  - host: nginx.`+host+`
    http:
      paths:
      - {path: "/api/(.*)", pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}
      - {path: "/~/items/(.*)", pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: quotes}
spec:
  ingressClassName: kong
  rules:
  - http:
      paths:
      - {path: "/\" || http.path ^= \"/", pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---`+ingress("late-and-good", "late."+host, "/", "web"))

	wantStatus(t, gw.HTTP, "late."+host, "/", http.StatusOK)
	// The names of the two Kong routes would be one and the same.
	cp.MustApply(t, ns, ingress("alike.web", host, "/alike", "web"))
	wantStatus(t, gw.HTTP, host, "/alike", http.StatusOK)
	cp.MustApply(t, ns, ingress("alike", "web."+host, "/", "web"))
	wantStatus(t, gw.HTTP, "web."+host, "/", http.StatusOK)

	wantStatus(t, gw.HTTP, "regex."+host, "/good", http.StatusOK)
	wantStatus(t, gw.HTTP, "tls."+host, "/", http.StatusOK)
	wantStatus(t, gw.HTTP, "gone."+host, "/", http.StatusServiceUnavailable)
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)
	wantStatus(t, gw.HTTP, "none."+host, "/", http.StatusNotFound)
	wantStatus(t, gw.HTTP, "nginx."+host, "/items/1", http.StatusOK)
	wantStatus(t, gw.HTTP, "nginx."+host, "/api/(.*)", http.StatusOK)
	wantStatus(t, gw.HTTP, "nginx."+host, "/api/1", http.StatusNotFound)
	wantEvent(t, cp, ns, "of-nginx", "ForeignAnnotation")
	wantEvent(t, cp, ns, "of-nginx", "LiteralPath")
	for object, reason := range map[string]string{
		"missing-service": "ServiceNotFound",
		"broken-regex":    "MatchInvalid",
		"garbage-tls":     "CertificateInvalid",
	} {
		wantEvent(t, cp, ns, object, reason)
	}
}

// wantEvent waits for an Event on an Ingress.
func wantEvent(t *testing.T, cp *lab.ControlPlane, namespace, name, reason string) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		events, err := cp.Client.CoreV1().Events(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		var seen []string
		for _, e := range events.Items {
			if e.InvolvedObject.Name == name {
				seen = append(seen, e.Reason+": "+e.Message)
				if e.Reason == reason {
					t.Logf("Event on %s: %s: %s", name, e.Reason, e.Message)
					return nil
				}
			}
		}
		return fmt.Errorf("Ingress %s has the Events %q, want %s", name, seen, reason)
	})
}
