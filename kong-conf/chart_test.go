package kongconf_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/helm"
	"github.com/kube-sync/kube-sync/kong-conf/internal/generated"
	"github.com/kube-sync/kube-sync/plugin/settings"
)

// chartDeployment returns the Deployment that the chart renders, and its container.
func chartDeployment(t *testing.T, values string) (appsv1.Deployment, corev1.Container) {
	t.Helper()
	d := decode[appsv1.Deployment](t, objects(t, render(t, values).Manifests()), "Deployment kong/kong")
	return d, d.Spec.Template.Spec.Containers[0]
}

// samples has a value of each type, as YAML and as kube-sync reads it.
var samples = map[settings.Type][2]string{
	settings.Boolean: {"true", "true"},
	settings.Integer: {"2000000", "2000000"},
	settings.Number:  {"2.5", "2.5"},
	settings.Size:    {"64m", "64m"},
}

// samplesByName has values of settings with a format of their own.
var samplesByName = map[string][2]string{
	"GATEWAY_API_CONTROLLER_NAME": {"example.com/edge", "example.com/edge"},
	"GATEWAY_TO_RECONCILE":        {"shop/web", "shop/web"},
	"GATEWAY_PORTS":               {"[20000-20009, 9000]", "20000-20009,9000"},
	"WATCH_NAMESPACE":             {"[shop, blog]", "shop,blog"},
	"APISERVER_HOST":              {"https://10.0.0.1:6443", "https://10.0.0.1:6443"},
	"PUBLISH_SERVICE":             {"edge/front", "edge/front"},
	"PUBLISH_SERVICE_UDP":         {"edge/front-udp", "edge/front-udp"},
	"PUBLISH_STATUS_ADDRESS":      {"[192.0.2.1, kong.example]", "192.0.2.1,kong.example"},
	"PUBLISH_STATUS_ADDRESS_UDP":  {"192.0.2.1", "192.0.2.1"},
	"DENIED_ADDRESSES":            {"[10.9.0.0/16]", "10.9.0.0/16"},
	"ALLOWED_ADDRESSES":           {`"10.9.1.1, 10.9.1.2"`, "10.9.1.1, 10.9.1.2"},
	"ALLOW_PLUGIN_FIELDS":         {"[file-log.path=/var/log/kong/]", "file-log.path=/var/log/kong/"},
	"KONG_ADMIN_SOCKET":           {"/kong_prefix/sockets/admin.sock", "/kong_prefix/sockets/admin.sock"},
	"HEALTH_PROBE_BIND_ADDRESS":   {`":10354"`, ":10354"},
	"METRICS_BIND_ADDRESS":        {`"0.0.0.0:10355"`, "0.0.0.0:10355"},
	"STATUS_PAGE_BIND_ADDRESS":    {`"127.0.0.1:10256"`, "127.0.0.1:10256"},
	"RELAY_BIND_ADDRESS":          {`"off"`, "off"},
	"PPROF_BIND_ADDRESS":          {"127.0.0.1:6060", "127.0.0.1:6060"},
	"TRACING_ENDPOINT":            {"http://collector:4318", "http://collector:4318"},
}

// TestSettingsAreValues sets each of kube-sync's settings by the chart's values.
func TestSettingsAreValues(t *testing.T) {
	for _, s := range settings.Table() {
		value, ok := samplesByName[s.Name]
		if !ok {
			value, ok = samples[s.Type]
		}
		if s.Values != nil {
			last := s.Values[len(s.Values)-1]
			value, ok = [2]string{last, last}, true
		}
		if !ok {
			value = [2]string{"custom", "custom"}
			if s.Type == settings.List {
				value = [2]string{"[custom, other]", "custom,other"}
			}
		}
		_, container := chartDeployment(t, fmt.Sprintf("settings: {%s: %s}\n", generated.ValueKey(s.Name), value[0]))
		got := environment(container)[s.KongEnvironment()]
		if got != value[1] {
			t.Errorf("settings.%s: %s sets %s to %q, want %q", generated.ValueKey(s.Name), value[0], s.KongEnvironment(), got, value[1])
		}
		if err := s.Check(got); err != nil {
			t.Errorf("settings.%s: kube-sync does not accept %q: %v", generated.ValueKey(s.Name), got, err)
		}
	}
}

// TestWrongValuesAreRefused checks that each of these is an error that names the value.
func TestWrongValuesAreRefused(t *testing.T) {
	for values, want := range map[string]string{
		"setings: {}":                                                              "setings",
		"settings: {ingresClass: kong}":                                            "ingresClass",
		"settings: {updateStatus: maybe}":                                          "updateStatus",
		"settings: {tenancy: open}":                                                "tenancy",
		"settings: {apiserverQps: 0}":                                              "apiserverQps",
		"settings: {maxBufferedBody: 3 MB}":                                        "maxBufferedBody",
		"replicas: two":                                                            "replicas",
		"proxy: {type: Loadbalancer}":                                              "type",
		"proxy: {externalTrafficPolicy: local}":                                    "externalTrafficPolicy",
		"ports: {streams: [{port: 9000}]}":                                         "name",
		"ports: {streams: [{name: a, port: 9, protocol: UDP, tls: true}]}":         "tls is for TCP",
		"gatewayClass: {create: sometimes}":                                        "create",
		"serviceAccount: {tokenSeconds: 7200}":                                     "tokenSeconds",
		"serviceAccount: {create: false}":                                          "serviceAccount.name",
		"settings: {healthProbeBindAddress: \"off\"}":                              "readinessProbe",
		"shutdown: {waitSeconds: 40}":                                              "terminationGracePeriodSeconds",
		"proxyUDP: {enabled: true}":                                                "ports.streams",
		"autoscaling: {enabled: true, targetCPUUtilizationPercentage: 0}":          "autoscaling",
		"monitoring: {service: {enabled: false}, serviceMonitor: {enabled: true}}": "monitoring.service",
	} {
		_, err := helm.Render("chart", helm.Release{Name: "kong", Namespace: "kong", Values: values})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want an error that names %s", values, err, want)
		}
	}
}

// TestListenersOfTheChart compares Kong's listeners by the chart's values with those of kong.conf.
func TestListenersOfTheChart(t *testing.T) {
	listens := func(values string) map[settings.Listen]int {
		kong := conf(t)
		kong["database"] = "off"
		_, container := chartDeployment(t, values)
		for name, value := range environment(container) {
			if name = strings.ToLower(strings.TrimPrefix(name, "KONG_")); strings.HasSuffix(name, "_listen") {
				kong[name] = value
			}
		}
		loaded, err := settings.Load(settings.Sources{Kong: kong})
		if err != nil {
			t.Fatal(err)
		}
		all := map[settings.Listen]int{}
		for _, l := range loaded.KongListens {
			all[l]++
		}
		return all
	}
	want := listens("{}")
	if n := len(want); n < 50 {
		t.Fatalf("Kong has %d listeners", n)
	}
	twice := maps.Clone(want)
	for l := range twice {
		twice[l]++
	}
	if diff := cmp.Diff(twice, listens("ports: {ipv6: true}")); diff != "" {
		t.Errorf("with ipv6 Kong listens on other ports:\n%s", diff)
	}
	added := maps.Clone(want)
	added[settings.Listen{Ports: settings.Ports{First: 5432, Last: 5432}, Stream: true}] = 1
	added[settings.Listen{Ports: settings.Ports{First: 8883, Last: 8883}, Stream: true, TLS: true}] = 1
	added[settings.Listen{Ports: settings.Ports{First: 5353, Last: 5353}, Stream: true, UDP: true}] = 1
	streams := "ports: {streams: [{name: postgres, port: 5432}, {name: mqtt, port: 8883, tls: true}, {name: dns, port: 5353, protocol: UDP}]}"
	if diff := cmp.Diff(added, listens(streams)); diff != "" {
		t.Errorf("with streams Kong listens on other ports:\n%s", diff)
	}
	moved := maps.Clone(want)
	delete(moved, settings.Listen{Ports: settings.Ports{First: 8000, Last: 8000}})
	delete(moved, settings.Listen{Ports: settings.Ports{First: 8443, Last: 8443}, TLS: true})
	moved[settings.Listen{Ports: settings.Ports{First: 9443, Last: 9443}, TLS: true}] = 1
	tlsAlone := "ports: {http: {enabled: false}, https: {port: 9443, containerPort: 9443}}"
	if diff := cmp.Diff(moved, listens(tlsAlone)); diff != "" {
		t.Errorf("with https alone Kong listens on other ports:\n%s", diff)
	}
	_, container := chartDeployment(t, tlsAlone)
	if got := environment(container)["KONG_PORT_MAPS"]; got != "9443:9443" {
		t.Errorf("KONG_PORT_MAPS is %q", got)
	}
	if _, container := chartDeployment(t, "plugins: [ours]"); environment(container)["KONG_PLUGINS"] != conf(t)["plugins"]+",ours" {
		t.Errorf("KONG_PLUGINS is %q", environment(container)["KONG_PLUGINS"])
	}
}

// TestVariablesTakePrecedence checks that settings replace the chart's own variables, kong replaces settings,
// and extraEnv replaces kong. Each variable occurs once.
func TestVariablesTakePrecedence(t *testing.T) {
	_, container := chartDeployment(t, `
settings: {ingressClass: edge, logLevel: debug, publishService: edge/front}
kong:
  log_level: info
  nginx_worker_processes: 4
  pluginserver_kube_sync_log_level: warn
  headers: "off"
  password: {valueFrom: {secretKeyRef: {name: kong, key: password}}}
extraEnv: [{name: KONG_LOG_LEVEL, value: warn}, {name: TZ, value: UTC}]
extraEnvFrom: [{secretRef: {name: more}}]
`)
	want := map[string]string{
		"KONG_PLUGINSERVER_KUBE_SYNC_INGRESS_CLASS": "edge", "KONG_PLUGINSERVER_KUBE_SYNC_LOG_LEVEL": "warn",
		"KONG_PLUGINSERVER_KUBE_SYNC_PUBLISH_SERVICE": "edge/front", "KONG_LOG_LEVEL": "warn", "TZ": "UTC",
		"KONG_NGINX_WORKER_PROCESSES": "4", "KONG_HEADERS": "off", "KONG_PASSWORD": "", "KONG_PREFIX": "/kong_prefix",
		"KONG_PLUGINSERVER_KUBE_SYNC_POD_NAME": "", "KONG_PLUGINSERVER_KUBE_SYNC_POD_NAMESPACE": "",
	}
	if diff := cmp.Diff(want, environment(container)); diff != "" || len(container.Env) != len(want) || len(container.EnvFrom) != 1 {
		t.Errorf("%d variables:\n%s", len(container.Env), diff)
	}
	// Kong reads an empty variable as the value true.
	_, container = chartDeployment(t, "settings: {customEntityTypes: [], publishService: ''}\nkong: {trusted_ips: ''}\n")
	for _, e := range container.Env {
		if e.Value == "" && e.ValueFrom == nil {
			t.Errorf("%s is empty", e.Name)
		}
	}
	// A variable comes before those that refer to it.
	_, container = chartDeployment(t, "{}")
	at := func(name string) int {
		return slices.IndexFunc(container.Env, func(e corev1.EnvVar) bool { return e.Name == "KONG_PLUGINSERVER_KUBE_SYNC_"+name })
	}
	if at("POD_NAMESPACE") < 0 || at("POD_NAMESPACE") > at("PUBLISH_SERVICE") {
		t.Error("PUBLISH_SERVICE comes before POD_NAMESPACE, to which it refers")
	}
}

func TestAutoscalingOwnsReplicas(t *testing.T) {
	values := "autoscaling: {enabled: true, targetRequestsPerSecond: 500, metrics: [{type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 3Gi}}}]}\n"
	if d, _ := chartDeployment(t, values); d.Spec.Replicas != nil {
		t.Errorf("the Deployment sets %d replicas", *d.Spec.Replicas)
	}
	hpa := decode[autoscalingv2.HorizontalPodAutoscaler](t, objects(t, render(t, values).Manifests()), "HorizontalPodAutoscaler kong/kong")
	if len(hpa.Spec.Metrics) != 3 || *hpa.Spec.Metrics[0].Resource.Target.AverageUtilization != 75 ||
		hpa.Spec.Metrics[1].Pods.Target.AverageValue.String() != "500" || hpa.Spec.ScaleTargetRef.Name != "kong" {
		t.Errorf("the autoscaler has %+v", hpa.Spec)
	}
	if metric := hpa.Spec.Metrics[1].Pods.Metric.Name; !exported(t)[metric+"_total"] {
		t.Errorf("the metric %s_total to scale by does not exist", metric)
	}
}

// TestOpenShift checks that the namespace sets users and groups, and that nothing else changes.
func TestOpenShift(t *testing.T) {
	plain, _ := chartDeployment(t, "{}")
	rendered, err := helm.Render("chart", helm.Release{Name: "kong", Namespace: "kong", Values: "{}", APIVersions: []string{"security.openshift.io/v1"}})
	if err != nil {
		t.Fatal(err)
	}
	d := decode[appsv1.Deployment](t, objects(t, rendered.Manifests()), "Deployment kong/kong")
	want := plain.Spec.Template.Spec.SecurityContext
	want.RunAsUser, want.RunAsGroup = nil, nil
	if diff := cmp.Diff(want, d.Spec.Template.Spec.SecurityContext); diff != "" {
		t.Errorf("on OpenShift the security context differs:\n%s", diff)
	}
	if forced, _ := chartDeployment(t, "openshift: true"); forced.Spec.Template.Spec.SecurityContext.RunAsUser != nil {
		t.Error("with openshift: true the pod has a user")
	}
}

// TestGatewayClassFollowsTheCluster checks that the GatewayClass is created if the cluster has Gateway API. Its
// Gateways have Services of their own only if the gateway may write them.
func TestGatewayClassFollowsTheCluster(t *testing.T) {
	const id = "GatewayClass kong"
	for _, test := range []struct {
		values, api string
		created     bool
		unmanaged   string
	}{
		{"{}", "", false, ""},
		{"{}", "gateway.networking.k8s.io/v1", true, "true"},
		{"gatewayClass: {create: false}", "gateway.networking.k8s.io/v1", false, ""},
		{"gatewayClass: {create: true}", "", true, "true"},
		{"gatewayServices: {enabled: true}", "gateway.networking.k8s.io/v1", true, ""},
	} {
		rendered, err := helm.Render("chart", helm.Release{Name: "kong", Namespace: "kong", Values: test.values, APIVersions: []string{test.api}})
		if err != nil {
			t.Fatal(err)
		}
		all := objects(t, rendered.Manifests())
		metadata, _ := all[id]["metadata"].(map[string]any)
		annotations, _ := metadata["annotations"].(map[string]any)
		unmanaged, _ := annotations["konghq.com/gatewayclass-unmanaged"].(string)
		if (all[id] != nil) != test.created || unmanaged != test.unmanaged {
			t.Errorf("%+v: the GatewayClass is %v", test, all[id])
		}
		for _, role := range []string{"ClusterRole kube-sync-kong-kong-gateway-services", "Role kong/kube-sync-kong-kong-gateway-ports"} {
			if written := all[role] != nil; written != strings.Contains(test.values, "gatewayServices") {
				t.Errorf("%+v: %s: %v", test, role, written)
			}
		}
	}
}

// TestReleasesShareNothing checks that two releases have no object in common, whatever their names and namespaces.
func TestReleasesShareNothing(t *testing.T) {
	values := `
settings: {ingressClass: NAME, electionId: ID}
gatewayClass: {create: true}
gatewayServices: {enabled: true}
monitoring: {plugin: {enabled: true}, dashboards: {enabled: true}, podMonitor: {enabled: true}, serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}}
autoscaling: {enabled: true}
`
	owner := map[string]string{}
	for _, release := range []helm.Release{{Name: "kong", Namespace: "kong"}, {Name: "kong", Namespace: "shop"}, {Name: "edge", Namespace: "kong"}} {
		of := release.Namespace + "/" + release.Name
		release.Values = strings.NewReplacer("NAME", release.Namespace+"-"+release.Name, "ID", release.Name).Replace(values)
		rendered, err := helm.Render("chart", release)
		if err != nil {
			t.Fatal(err)
		}
		for id := range objects(t, rendered.Manifests()) {
			if other := owner[id]; other != "" {
				t.Errorf("%s belongs to %s and to %s", id, other, of)
			}
			owner[id] = of
		}
	}
}

// TestSomeNamespaces checks that the gateway has no role outside of the namespaces that it watches.
func TestSomeNamespaces(t *testing.T) {
	all := objects(t, render(t, "settings: {watchNamespace: \"shop, blog\", electionId: ours, electionNamespace: kong}\nrbac: {clusterScoped: false}\ngatewayServices: {enabled: true}\n").Manifests())
	var roles []string
	for id := range all {
		if strings.HasPrefix(id, "Role ") || strings.HasPrefix(id, "ClusterRole") {
			roles = append(roles, id)
		}
	}
	slices.Sort(roles)
	want := []string{
		"Role blog/kube-sync-kong-kong", "Role blog/kube-sync-kong-kong-gateway-services",
		"Role kong/kube-sync-kong-kong-lease", "Role kong/kube-sync-kong-kong-publish-service",
		"Role shop/kube-sync-kong-kong", "Role shop/kube-sync-kong-kong-gateway-services",
	}
	if diff := cmp.Diff(want, roles); diff != "" {
		t.Errorf("the roles differ:\n%s", diff)
	}
	lease := decode[rbacv1.Role](t, all, "Role kong/kube-sync-kong-kong-lease")
	if names := lease.Rules[0].ResourceNames; !slices.Equal(names, []string{"ours"}) {
		t.Errorf("the role is for the Leases %v", names)
	}
}

// TestNotes checks that the notes name objects of the release.
func TestNotes(t *testing.T) {
	for values, want := range map[string][]string{
		"{}": {"kubectl -n kong rollout status deployment/kong", "port-forward service/kong-proxy 8080:80", "--class=kong",
			"kube-sync definitions |", "does not have Gateway API", "<pending>"},
		"settings: {ingressClass: edge, watchNamespace: [shop]}\nproxy: {type: ClusterIP}\nports: {http: {enabled: false}}\n": {
			"--class=edge", "the namespaces shop", "8080:443", "WARNING: settings.ingressClass is set and settings.gatewayApiControllerName is not"},
		"settings: {ingressClass: edge, gatewayApiControllerName: example.com/edge}": {"GatewayClasses with the controllerName example.com/edge"},
	} {
		notes := render(t, values).Notes
		for _, part := range want {
			if !strings.Contains(notes, part) {
				t.Errorf("with %s the notes do not say %q:\n%s", values, part, notes)
			}
		}
	}
	for _, one := range []string{"{}", "settings: {ingressClass: edge, gatewayApiControllerName: example.com/edge}"} {
		if strings.Contains(render(t, one).Notes, "WARNING") {
			t.Errorf("with %s the notes warn of a shared controllerName", one)
		}
	}
	if notes := render(t, "proxy: {enabled: false}").Notes; strings.Contains(notes, "port-forward") {
		t.Error("the notes name a Service that does not exist")
	}
}

// TestSchemaHasAllSettings checks that the schema of the values has each of kube-sync's settings.
func TestSchemaHasAllSettings(t *testing.T) {
	var schema struct{ Properties map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(readFile(t, "chart/values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	var settingsOf struct{ Properties map[string]any }
	if err := json.Unmarshal(schema.Properties["settings"], &settingsOf); err != nil || len(settingsOf.Properties) != len(settings.Table()) {
		t.Errorf("the schema has %d settings, kube-sync has %d: %v", len(settingsOf.Properties), len(settings.Table()), err)
	}
}

// TestServicesAreAsValuesSay checks that each value sets a field of the Services, and that false is not lost.
func TestServicesAreAsValuesSay(t *testing.T) {
	const spec = `{type: LoadBalancer, loadBalancerClass: a.example/b, loadBalancerIP: 192.0.2.8, loadBalancerSourceRanges: [198.51.100.0/24],
  allocateLoadBalancerNodePorts: false, externalTrafficPolicy: Local, internalTrafficPolicy: Local, healthCheckNodePort: 31000,
  trafficDistribution: PreferSameZone, ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv6, IPv4], clusterIP: 10.96.0.9, externalIPs: [192.0.2.9],
  sessionAffinity: ClientIP}`
	all := objects(t, render(t, "ports: {http: {nodePort: 30080}, streams: [{name: dns, port: 5353, protocol: UDP, nodePort: 30053}, {name: mqtt, port: 8883, tls: true}]}\n"+
		"proxy: "+spec+"\nproxyUDP: "+strings.Replace(spec, "{", "{enabled: true, ", 1)+"\n").Manifests())
	var want map[string]any
	if err := yaml.Unmarshal([]byte(spec), &want); err != nil {
		t.Fatal(err)
	}
	for id, ports := range map[string][]corev1.ServicePort{
		"Service kong/kong-proxy": {{Name: "proxy", Port: 80, TargetPort: intstr.FromString("proxy"), NodePort: 30080},
			{Name: "proxy-tls", Port: 443, TargetPort: intstr.FromString("proxy-tls")},
			{Name: "mqtt", Port: 8883, TargetPort: intstr.FromString("mqtt"), Protocol: "TCP"}},
		"Service kong/kong-proxy-udp": {{Name: "dns", Port: 5353, TargetPort: intstr.FromString("dns"), Protocol: "UDP", NodePort: 30053}},
	} {
		if diff := cmp.Diff(ports, decode[corev1.Service](t, all, id).Spec.Ports); diff != "" {
			t.Errorf("the ports of %s differ:\n%s", id, diff)
		}
		got, _ := all[id]["spec"].(map[string]any)
		delete(got, "ports")
		delete(got, "selector")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs:\n%s", id, diff)
		}
	}
	policy := decode[networkingv1.NetworkPolicy](t, all, "NetworkPolicy kong/kong-ingress")
	if open := policy.Spec.Ingress[0].Ports; !at(open, corev1.ProtocolUDP, 5353) || !at(open, corev1.ProtocolTCP, 8883) || at(open, corev1.ProtocolTCP, 5353) {
		t.Errorf("clients can connect to %v", open)
	}
}

// TestChartPassesLint runs Helm's linter on the chart.
func TestChartPassesLint(t *testing.T) {
	for _, m := range lint.AllWithKubeVersion("chart", map[string]any{}, "kong", &chartutil.KubeVersion{Version: "v1.36.0", Major: "1", Minor: "36"}).Messages {
		if m.Severity > support.InfoSev {
			t.Error(m)
		}
	}
}
