package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/e2e/helm"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// releaseKinds are those that a release may have objects of.
var releaseKinds = []schema.GroupVersionResource{
	{Version: "v1", Resource: "services"}, {Version: "v1", Resource: "serviceaccounts"}, {Version: "v1", Resource: "configmaps"},
	{Group: "apps", Version: "v1", Resource: "deployments"},
	{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"},
	{Group: "policy", Version: "v1", Resource: "poddisruptionbudgets"},
	{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"},
	{Group: "networking.k8s.io", Version: "v1", Resource: "ingressclasses"},
	{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "gatewayclasses"},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"},
	{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies"},
	{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"},
	{Group: "monitoring.coreos.com", Version: "v1", Resource: "servicemonitors"},
	{Group: "monitoring.coreos.com", Version: "v1", Resource: "prometheusrules"},
	{Group: "configuration.konghq.com", Version: "v1", Resource: "kongclusterplugins"},
}

// TestChart installs the chart with Helm in a cluster with a load balancer, as a user would, upgrades it to other values
// and to none of them, and uninstalls it. Requests go on being answered until the end.
func TestChart(t *testing.T) {
	lab.Require(t)
	if lab.External() {
		lab.Skip(t, "installs the gateway itself")
	}
	cp := lab.StartControlPlane(t)
	allKinds(t, cp)
	pod.AddImage(t, cp)
	cluster := helm.Cluster{Kubeconfig: cp.Kubeconfig, Chart: chartDir}
	release := helm.Release{Name: "kong", Namespace: "kong"}
	settings := fmt.Sprintf("settings: {apiserverHost: %q, watchNamespace: [NAMESPACE]}\n", pod.APIServer(t, cp))
	shop := cp.Namespace(t)

	release.Values = strings.Replace(settings, ", watchNamespace: [NAMESPACE]", "", 1)
	rendered, err := cluster.Install(t, release, true)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(rendered.Notes, "kube-sync definitions") {
		t.Errorf("the notes ask for definitions that the cluster has:\n%s", rendered.Notes)
	}
	address := net.JoinHostPort(serviceAddress(t, cp, "kong-proxy"), "80")
	cp.MustApply(t, shop, app("web", "web.example", 2)+"---"+strings.ReplaceAll(plainGateway, "name: same", "name: shared")+
		routeTo("route", "{name: shared}", "route.example", "web"))
	wantStatus(t, address, "web.example", "/", http.StatusOK)
	// The shipped GatewayClass: Gateways share the gateway's Service, and need no right to write one.
	wantStatus(t, address, "route.example", "/", http.StatusOK)
	if got, own := addressOf(t, cp, shop, "shared"), serviceAddress(t, cp, "kong-proxy"); got != own {
		t.Errorf("the Gateway has the address %s, and not that of the gateway's Service, %s", got, own)
	}
	before := mustBeOfRelease(t, cp)

	requests := startLoad(t, address, "web.example")
	requests.Answered(t, 20)
	release.Values = strings.Replace(settings, "NAMESPACE", shop, 1) + `
ports: {streams: [{name: postgres, port: 5432}]}
autoscaling: {enabled: true, minReplicas: 2, maxReplicas: 3}
podAnnotations: {version: two}
admission: {enabled: true}
gatewayServices: {enabled: true}
monitoring: {plugin: {enabled: true}, serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}, dashboards: {enabled: true}}
`
	if _, err := cluster.Upgrade(t, release, true); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, address, "web.example", "/", http.StatusOK)
	// The cluster has no autoscaler at work: the test takes its place. What it decides stays.
	scale := &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "kong", Namespace: "kong"}, Spec: autoscalingv1.ScaleSpec{Replicas: 3}}
	if _, err := cp.Client.AppsV1().Deployments("kong").UpdateScale(t.Context(), "kong", scale, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	release.Values = strings.Replace(release.Values, "version: two", "version: three", 1)
	if _, err := cluster.Upgrade(t, release, true); err != nil {
		t.Fatal(err)
	}
	if d := gatewayDeployment(t, cp); *d.Spec.Replicas != 3 || d.Spec.Template.Annotations["version"] != "three" {
		t.Errorf("after an upgrade the autoscaler's 3 replicas are %d, with the annotations %v", *d.Spec.Replicas, d.Spec.Template.Annotations)
	}
	upgraded := mustBeOfRelease(t, cp)
	for _, want := range []string{"HorizontalPodAutoscaler kong", "Role kube-sync-kong-kong", "ServiceMonitor kong", "PrometheusRule kong",
		"KongClusterPlugin kube-sync-kong-kong-prometheus", "ConfigMap kong-dashboard-kong", "ValidatingAdmissionPolicy kube-sync-routes"} {
		if !slices.Contains(upgraded, want) {
			t.Errorf("after the upgrade there is no %s", want)
		}
	}
	if slices.Contains(upgraded, "ClusterRole kube-sync-kong-kong") {
		t.Error("a gateway for one namespace keeps its rights in all")
	}

	// Back to the first values: nothing of the others stays.
	release.Values = strings.Replace(settings, ", watchNamespace: [NAMESPACE]", "", 1)
	if _, err := cluster.Upgrade(t, release, true); err != nil {
		t.Fatal(err)
	}
	if after := mustBeOfRelease(t, cp); !slices.Equal(before, after) {
		t.Errorf("after the way back there are\n%v, want\n%v", after, before)
	}
	requests.Answered(t, 20)
	requests.Stop(t)

	if err := cluster.Uninstall(t.Context(), t, release); err != nil {
		t.Fatal(err)
	}
	if left := mustBeOfRelease(t, cp); len(left) > 0 {
		t.Errorf("after uninstalling there are %v", left)
	}
}

func mustBeOfRelease(t *testing.T, cp *lab.ControlPlane) []string {
	t.Helper()
	all, err := ofRelease(t.Context(), cp)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func gatewayDeployment(t *testing.T, cp *lab.ControlPlane) *appsv1.Deployment {
	t.Helper()
	d, err := cp.Client.AppsV1().Deployments("kong").Get(t.Context(), "kong", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// serviceAddress is what the load balancer gave to a Service of the gateway.
func serviceAddress(t *testing.T, cp *lab.ControlPlane, name string) (address string) {
	t.Helper()
	lab.Eventually(t, time.Minute, func() error {
		s, err := cp.Client.CoreV1().Services("kong").Get(context.WithoutCancel(t.Context()), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if len(s.Status.LoadBalancer.Ingress) == 0 {
			return fmt.Errorf("Service %s has no address", name)
		}
		address = s.Status.LoadBalancer.Ingress[0].IP
		return nil
	})
	return address
}
