package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// The right to write Services is optional: without it a Gateway that is to have one says why
// it has none, and has it once the right is there. The right is for the Services of Gateways
// alone.
func TestGatewayServicesNeedTheirRole(t *testing.T) {
	cp, gw := deployed(t, nil)
	ns := cp.Namespace(t)
	binding := "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: kube-sync-gateway-services}\n"
	if err := cp.Delete(t.Context(), "", binding); err != nil {
		t.Fatal(err)
	}
	host := ns + ".example"
	cp.MustApply(t, ns, strings.Split(twoGateways, "---\n")[1]+"---\n"+deployment("web", 1)+routeTo("web", "{name: two}", host, "web")+
		ingress("plain", "plain."+host, "/", "web"))
	eventually.Nil(t, time.Minute, func() error {
		g, err := typed[gatewayv1.Gateway](t, cp, "gateways", ns, "two")
		if err != nil {
			return err
		}
		c := meta.FindStatusCondition(g.Status.Conditions, "Programmed")
		if c == nil || c.Status != metav1.ConditionFalse || c.Reason != "NoResources" ||
			!strings.Contains(c.Message, "cannot patch resource") || !strings.Contains(c.Message, "kong-conf/manifests/gatewayservices") {
			return fmt.Errorf("a Gateway whose Service may not be written has the condition %+v", c)
		}
		return nil
	})
	// All else goes on.
	wantStatus(t, gw.HTTP, "plain."+host, "/", http.StatusOK)
	log, err := gw.Log()
	if err != nil || !strings.Contains(log, "the Service of a Gateway may not be written") {
		t.Errorf("the gateway's log does not say what it lacks (%v)", err)
	}

	pod.PermitGatewayServices(t, cp)
	address := addressOf(t, cp, ns, "two")
	if err := reaches("http://"+address, host, "web", "80"); err != nil {
		t.Error(err)
	}
	gatewayServicesAlone(t, cp, ns)
}

// gatewayServicesAlone tries with the gateway's account what somebody would who has taken it over.
func gatewayServicesAlone(t *testing.T, cp *lab.ControlPlane, ns string) {
	t.Helper()
	config := rest.CopyConfig(cp.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "system:serviceaccount:" + gatewayNamespace + ":" + gatewayAccount}
	account, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	services := account.CoreV1().Services(ns)
	marked := metav1.ObjectMeta{Name: "marked", Labels: map[string]string{
		"app.kubernetes.io/managed-by": "kube-sync", "gateway.networking.k8s.io/gateway-name": "two"}}
	port := []corev1.ServicePort{{Port: 80}}
	for what, try := range map[string]func() error{
		"make a Service that is no Gateway's": func() error {
			_, err := services.Create(t.Context(), &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "own"}, Spec: corev1.ServiceSpec{Ports: port}}, metav1.CreateOptions{})
			return err
		},
		"make one that no Gateway owns": func() error {
			_, err := services.Create(t.Context(), &corev1.Service{ObjectMeta: marked, Spec: corev1.ServiceSpec{Type: "LoadBalancer", Ports: port}}, metav1.CreateOptions{})
			return err
		},
		"lead another's Service elsewhere": func() error {
			_, err := services.Patch(t.Context(), "web", types.MergePatchType, []byte(`{"spec":{"selector":{"app":"other"}}}`), metav1.PatchOptions{})
			return err
		},
		"take another's Service over": func() error {
			_, err := services.Patch(t.Context(), "web", types.MergePatchType, []byte(`{"metadata":{"labels":{"app.kubernetes.io/managed-by":"kube-sync","gateway.networking.k8s.io/gateway-name":"two"}}}`), metav1.PatchOptions{})
			return err
		},
		"delete another's Service": func() error {
			return services.Delete(t.Context(), "web", metav1.DeleteOptions{})
		},
		"have a Gateway's Service select pods": func() error {
			_, err := services.Patch(t.Context(), "two-kong", types.MergePatchType, []byte(`{"spec":{"selector":{"app":"other"}}}`), metav1.PatchOptions{})
			return err
		},
	} {
		err := try()
		if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "kube-sync-gateway-services") {
			t.Errorf("the gateway's account may %s: %v", what, err)
		}
	}
}
