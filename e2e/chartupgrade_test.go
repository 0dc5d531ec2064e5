package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/helm"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// releaseKinds are the kinds of a release's objects.
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

// upgradedValues are the values to which TestChart upgrades. %s is a namespace.
const upgradedValues = `
settings: {apiserverHost: %q, watchNamespace: [%s]}
ports: {streams: [{name: postgres, port: 5432}]}
autoscaling: {enabled: true, minReplicas: 2, maxReplicas: 3}
podAnnotations: {version: two}
admission: {enabled: true}
gatewayServices: {enabled: true}
monitoring: {plugin: {enabled: true}, serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}, dashboards: {enabled: true}}
`

// TestChart installs the chart with Helm in a cluster with a load balancer, as a user would, upgrades it to other values
// and back, and uninstalls it. Requests are answered all the time.
func TestChart(t *testing.T) {
	lab.Require(t)
	if lab.External() {
		lab.Skip(t, "installs the gateway itself")
	}
	cp := lab.StartControlPlane(t)
	allKinds(t, cp)
	pod.AddImage(t, cp)
	r := &chartRelease{t: t, cp: cp, cluster: helm.Cluster{Kubeconfig: cp.Kubeconfig, Chart: chartDir}, Release: helm.Release{Name: "kong", Namespace: "kong"}}
	shop, server := cp.Namespace(t), pod.APIServer(t, cp)
	first := fmt.Sprintf("settings: {apiserverHost: %q}\n", server)

	r.Values = first
	r.install()
	address := net.JoinHostPort(serviceAddress(t, cp, "kong-proxy"), "80")
	cp.MustApply(t, shop, app("web", "web.example", 2)+"---"+strings.ReplaceAll(plainGateway, "name: same", "name: shared")+
		routeTo("route", "{name: shared}", "route.example", "web"))
	wantStatus(t, address, "web.example", "/", http.StatusOK)
	// By the shipped GatewayClass Gateways share the gateway's Service, and need no right to write one.
	wantStatus(t, address, "route.example", "/", http.StatusOK)
	if got, own := addressOf(t, cp, shop, "shared"), serviceAddress(t, cp, "kong-proxy"); got != own {
		t.Errorf("the Gateway has the address %s, and not that of the gateway's Service, %s", got, own)
	}
	before := r.objects()

	requests := startLoad(t, address, "web.example")
	requests.Answered(t, 20)
	r.Values = fmt.Sprintf(upgradedValues, server, shop)
	r.upgrade()
	wantStatus(t, address, "web.example", "/", http.StatusOK)
	r.wantUpgraded()
	r.wantMetrics()
	r.wantReplicasAlone()

	// Back to the first values: nothing of the others stays.
	r.Values = first
	r.upgrade()
	if after := r.objects(); !slices.Equal(before, after) {
		t.Errorf("after the way back there are\n%v, want\n%v", after, before)
	}
	requests.Answered(t, 20)
	requests.Stop(t)

	if err := r.cluster.Uninstall(t.Context(), t, r.Release); err != nil {
		t.Fatal(err)
	}
	if left := r.objects(); len(left) > 0 {
		t.Errorf("after uninstalling there are %v", left)
	}
}

// chartRelease is the release of TestChart.
type chartRelease struct {
	helm.Release
	t       *testing.T
	cp      *lab.ControlPlane
	cluster helm.Cluster
}

func (r *chartRelease) install() {
	r.t.Helper()
	rendered, err := r.cluster.Install(r.t, r.Release, true)
	if err != nil {
		r.t.Fatal(err)
	}
	if strings.Contains(rendered.Notes, "kube-sync definitions") {
		r.t.Errorf("the notes ask for definitions that the cluster has:\n%s", rendered.Notes)
	}
}

func (r *chartRelease) upgrade() {
	r.t.Helper()
	if _, err := r.cluster.Upgrade(r.t, r.Release, true); err != nil {
		r.t.Fatal(err)
	}
}

// wantUpgraded checks what upgradedValues add and remove.
func (r *chartRelease) wantUpgraded() {
	r.t.Helper()
	upgraded := r.objects()
	for _, want := range []string{"HorizontalPodAutoscaler kong", "Role kube-sync-kong-kong", "ServiceMonitor kong", "PrometheusRule kong",
		"KongClusterPlugin kube-sync-kong-kong-prometheus", "ConfigMap kong-dashboard-kong", "ValidatingAdmissionPolicy kube-sync-routes"} {
		if !slices.Contains(upgraded, want) {
			r.t.Errorf("after the upgrade there is no %s", want)
		}
	}
	if slices.Contains(upgraded, "ClusterRole kube-sync-kong-kong") {
		r.t.Error("a gateway for one namespace keeps its rights in all")
	}
}

// wantMetrics reads the metrics at the ports of the metrics Service, like Prometheus: kube-sync's, and Kong's with those
// of the plugin that upgradedValues enable.
func (r *chartRelease) wantMetrics() {
	r.t.Helper()
	if _, err := exec.LookPath("kong"); err != nil {
		r.t.Log("there is no kong on PATH: its metrics are not read")
		return
	}
	want := map[string][]string{
		"10255": {"ingress_controller_configuration_age_seconds", `ingress_controller_kong_info{at_risk="`, "process_start_time_seconds"},
		"8100": {`kong_http_requests_total{service="`, "kong_kong_latency_ms_bucket{", "kong_upstream_latency_ms_bucket{", "kong_request_latency_ms_bucket{",
			"kong_bandwidth_bytes{", "kong_upstream_target_health{", `kong_memory_workers_lua_vms_bytes{`, `kong_subsystem="http"`,
			`kong_nginx_requests_total{`, `kong_nginx_connections_total{`, `shared_dict="prometheus_metrics"`, "kong_node_info{"},
	}
	eventually.Nil(r.t, time.Minute, func() error {
		pods, err := r.cp.Client.CoreV1().Pods(r.Namespace).List(r.t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=" + r.Name})
		if err != nil || len(pods.Items) == 0 {
			return fmt.Errorf("the release has no pods: %v", err)
		}
		for port, texts := range want {
			metrics, err := metricsOf(net.JoinHostPort(pods.Items[0].Status.PodIP, port))
			if err != nil {
				return err
			}
			for _, text := range texts {
				if !strings.Contains(metrics, text) {
					return fmt.Errorf("port %s has no metric %s", port, text)
				}
			}
		}
		return nil
	})
}

func metricsOf(address string) (string, error) {
	answer, err := (&http.Client{Timeout: 10 * time.Second}).Get("http://" + address + "/metrics")
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

// wantReplicasAlone scales the Deployment in place of an autoscaler, which the cluster lacks, and checks that an upgrade
// keeps the replicas.
func (r *chartRelease) wantReplicasAlone() {
	r.t.Helper()
	scale := &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: r.Name, Namespace: r.Namespace}, Spec: autoscalingv1.ScaleSpec{Replicas: 3}}
	if _, err := r.cp.Client.AppsV1().Deployments(r.Namespace).UpdateScale(r.t.Context(), r.Name, scale, metav1.UpdateOptions{}); err != nil {
		r.t.Fatal(err)
	}
	r.Values = strings.Replace(r.Values, "version: two", "version: three", 1)
	r.upgrade()
	d, err := r.cp.Client.AppsV1().Deployments(r.Namespace).Get(r.t.Context(), r.Name, metav1.GetOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	if *d.Spec.Replicas != 3 || d.Spec.Template.Annotations["version"] != "three" {
		r.t.Errorf("after an upgrade the autoscaler's 3 replicas are %d, with the annotations %v", *d.Spec.Replicas, d.Spec.Template.Annotations)
	}
}

// objects lists the release's objects in the cluster, as "Kind name".
func (r *chartRelease) objects() (all []string) {
	r.t.Helper()
	selected := metav1.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=Helm,app.kubernetes.io/instance=" + r.Name}
	for _, kind := range releaseKinds {
		list, err := r.cp.Dynamic.Resource(kind).List(r.t.Context(), selected)
		if err != nil {
			r.t.Fatalf("list %s: %v", kind.Resource, err)
		}
		for _, item := range list.Items {
			all = append(all, item.GetKind()+" "+item.GetName())
		}
	}
	slices.Sort(all)
	return all
}

// serviceAddress returns the load balancer's address of a Service of the gateway.
func serviceAddress(t *testing.T, cp *lab.ControlPlane, name string) (address string) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
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
