package e2e

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// namespacedInstall is the installation for the namespace "default". Its cluster-scoped roles are optional.
const namespacedInstall = "../kong-conf/manifests/namespaced/install.yaml"

const namespacedAccountName = "watches-one"

const complainWithin = 5 * time.Second

// namespacedAccount returns the credentials of a ServiceAccount with the rights for one namespace, and none
// in any other.
func namespacedAccount(t *testing.T, cp *lab.ControlPlane, watched string) lab.Credentials {
	t.Helper()
	credentials(t, cp) // makes the gateway's own namespace
	const account = namespacedAccountName
	manifests, err := os.ReadFile(namespacedInstall)
	if err != nil {
		t.Fatal(err)
	}
	// The account of the other tests may read all namespaces, and keeps its roles.
	roles := strings.NewReplacer("name: kube-sync", "name: "+account, "namespace: default", "namespace: "+watched).
		Replace(only(string(manifests), "Role", "RoleBinding"))
	made := cp.ServiceAccount(t, gatewayNamespace, account, "")
	cp.MustApply(t, watched, roles)
	t.Cleanup(func() {
		if err := cp.Delete(context.Background(), watched, roles); err != nil {
			t.Error(err)
		}
		err := cp.Client.CoreV1().ServiceAccounts(gatewayNamespace).Delete(context.Background(), account, metav1.DeleteOptions{})
		if err != nil {
			t.Error(err)
		}
	})
	return made
}

// A gateway for one namespace needs no right in any other. It serves that namespace, ignores others, and
// does not keep logging what it may not read.
func TestNamespacedInstall(t *testing.T) {
	cp := cluster(t)
	watched, other := cp.Namespace(t), cp.Namespace(t)
	gw := pod.Start(t, pod.Options{Credentials: namespacedAccount(t, cp, watched), Name: "gateway-0",
		Settings: map[string]string{"WATCH_NAMESPACE": watched, "PUBLISH_STATUS_ADDRESS": "192.0.2.5"}})
	cp.MustApply(t, other, app("web", other+".example", 1))
	ready(t, cp, other, 1)
	cp.MustApply(t, watched, app("web", watched+".example", 1))
	wantStatus(t, gw.HTTP, watched+".example", "/", http.StatusOK)
	// The other namespace's Ingress existed before, and would be served by now.
	wantStatus(t, gw.HTTP, other+".example", "/", http.StatusNotFound)
	cp.MustApply(t, watched, ingress("missing", "gone."+watched+".example", "/", "gone"))
	wantStatus(t, gw.HTTP, "gone."+watched+".example", "/", http.StatusServiceUnavailable)
	wantEvent(t, cp, watched, "missing", "ServiceNotFound")
	wantAddress(t, cp, watched, "web", "192.0.2.5")
	unseen, err := cp.Client.NetworkingV1().Ingresses(other).Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil || len(unseen.Status.LoadBalancer.Ingress) != 0 {
		t.Errorf("the Ingress of the other namespace has the status %v, %v", unseen.Status.LoadBalancer.Ingress, err)
	}

	// Forbidden lists are retried. A gateway that logs each attempt has logged more than one by
	// then.
	time.Sleep(complainWithin)
	log, err := gw.Log()
	if err != nil {
		t.Fatal(err)
	}
	var refused []string
	for line := range strings.Lines(log) {
		if strings.Contains(line, "forbidden") || strings.Contains(line, "Forbidden") {
			refused = append(refused, line)
		}
	}
	t.Logf("%d lines of %d tell of a missing right", len(refused), strings.Count(log, "\n"))
	// Those that are in no namespace, and the definitions of custom ones.
	most := 1
	for _, kind := range kinds.All() {
		if !kind.Namespaced {
			most++
		}
	}
	if len(refused) > most {
		t.Errorf("%d lines tell of missing rights, want one for each of %d kinds:\n%s",
			len(refused), most, strings.Join(refused, ""))
	}
}
