// Package e2e tests the gateway as a whole: with a real Kubernetes control plane, pods
// that are processes, and Kong; or with an existing cluster, as package lab describes.
package e2e

import (
	"fmt"
	"os"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

func TestMain(m *testing.M) {
	lab.CheckAudit(checkRoles)
	lab.NeedModule(lab.GatewayAPI, olderGatewayAPI)
	lab.Main(m, append(pod.Programs, shell, lab.EchoBasic)...)
}

// cluster returns the control plane of this package, with the definitions of an installation.
func cluster(t *testing.T) *lab.ControlPlane {
	t.Helper()
	cp := lab.Shared(t)
	cp.Kubelet(t)
	cp.MustApply(t, "", ingressClass)
	return cp
}

const ingressClass = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: kong}
spec: {controller: ingress-controllers.konghq.com/kong}
`

// gateway starts a pod of the gateway that sees all namespaces.
func gateway(t *testing.T, cp *lab.ControlPlane, settings map[string]string) *pod.Pod {
	t.Helper()
	return pod.Start(t, pod.Options{Credentials: credentials(t, cp), Settings: settings, Name: "gateway-0"})
}

// credentials returns the credentials of the installation's ServiceAccount, with its RBAC.
func credentials(t *testing.T, cp *lab.ControlPlane) lab.Credentials {
	t.Helper()
	manifests, err := os.ReadFile("../kong-conf/install.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cp.MustApply(t, "", only(string(manifests), "Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"))
	return cp.ServiceAccount(t, gatewayNamespace, gatewayAccount, "")
}

// app returns a Deployment of echo pods with its Service and an Ingress.
func app(name, host string, replicas int) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  replicas: %[3]d
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      terminationGracePeriodSeconds: 10
      containers:
      - name: echo
        image: kube-sync/echo:dev
        env:
        - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec:
  selector: {app: %[1]s}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
%[4]s`, name, host, replicas, ingress(name, host, "/", name))
}

// ingress returns an Ingress for a host, a path and a Service.
func ingress(name, host, path, service string) string {
	return fmt.Sprintf(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %s}
spec:
  ingressClassName: kong
  rules:
  - host: %s
    http:
      paths:
      - {path: %q, pathType: Prefix, backend: {service: {name: %s, port: {number: 80}}}}
`, name, host, path, service)
}
