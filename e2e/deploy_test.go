package e2e

import (
	"net/http"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// With the manifests that users apply, in a cluster with a load balancer, requests to the Service's address are served,
// and the Ingress has that address.
func TestDeployment(t *testing.T) {
	lab.Require(t)
	if lab.External() {
		lab.Skip(t, "installs the gateway itself")
	}
	cp := lab.StartControlPlane(t)
	gw := pod.Deploy(t, cp, nil)
	namespace := cp.Namespace(t)
	cp.MustApply(t, namespace, app("app", "app.test", 1))
	wantStatus(t, gw.HTTP, "app.test", "/", http.StatusOK)
}
