package e2e

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/helm"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/plugin/definitions"
)

const chartDir = "../kong-conf/chart"

// served are the APIs that the chart checks for and that allKinds installs.
var served = []string{"gateway.networking.k8s.io/v1", "configuration.konghq.com/v1", "monitoring.coreos.com/v1"}

// chartOptions set every value of the chart at least once, to another value than the default.
var chartOptions = map[string]string{
	"defaults": "{}",
	"names":    "fullnameOverride: edge\nnameOverride: front\ncommonLabels: {team: edge}\n",
	"image":    "image: {repository: registry.example/kong, tag: v1.2.3, digest: 'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', pullPolicy: Always, pullSecrets: [{name: registry}]}\n",
	"settings": `
replicas: 3
settings: {ingressClass: edge, watchNamespace: [default, kube-public], logFormat: json, electionId: ours, gatewayPorts: "off", gatewayApiControllerName: example.com/edge}
kong: {nginx_worker_processes: 4, headers: "off", pg_password: {valueFrom: {secretKeyRef: {name: kong, key: password}}}}
plugins: [ours]
rbac: {clusterScoped: false}
`,
	"ports": `
ports:
  http: {port: 8080, containerPort: 9080, nodePort: 30080, hostPort: 8080}
  https: {enabled: false, port: 8443, containerPort: 9443, nodePort: 30443, hostPort: 8443}
  streams:
  - {name: postgres, port: 5432, nodePort: 30432, hostPort: 5432}
  - {name: mqtt, port: 8883, tls: true}
  - {name: dns, port: 5353, protocol: UDP}
  ipv6: true
proxy: {type: NodePort, internalTrafficPolicy: Local, sessionAffinity: ClientIP, externalIPs: [192.0.2.7], clusterIP: 10.96.7.7}
`,
	"https alone": "ports: {http: {enabled: false}, https: {nodePort: 30443, hostPort: 8443}}\n",
	"load balancer": `
proxy:
  annotations: {service.beta.kubernetes.io/aws-load-balancer-type: external}
  labels: {exposed: "yes"}
  loadBalancerClass: service.k8s.aws/nlb
  loadBalancerIP: 192.0.2.8
  loadBalancerSourceRanges: [198.51.100.0/24]
  allocateLoadBalancerNodePorts: false
  externalTrafficPolicy: Local
  healthCheckNodePort: 31000
  trafficDistribution: PreferClose
  ipFamilyPolicy: SingleStack
  ipFamilies: [IPv4]
`,
	"datagrams": `
ports: {streams: [{name: dns, port: 5353, protocol: UDP}, {name: postgres, port: 5432}]}
proxyUDP:
  enabled: true
  annotations: {a.example/b: c}
  labels: {exposed: "yes"}
  loadBalancerClass: service.k8s.aws/nlb
  loadBalancerIP: 192.0.2.9
  loadBalancerSourceRanges: [198.51.100.0/24]
  allocateLoadBalancerNodePorts: false
  externalTrafficPolicy: Local
  internalTrafficPolicy: Local
  healthCheckNodePort: 31001
  trafficDistribution: PreferClose
  ipFamilyPolicy: SingleStack
  ipFamilies: [IPv4]
`,
	"datagrams inside": "ports: {streams: [{name: dns, port: 5353, protocol: UDP}]}\nproxyUDP: {enabled: true, type: NodePort, clusterIP: 10.96.7.8, externalIPs: [192.0.2.7], sessionAffinity: ClientIP}\n",
	"no Service":       "proxy: {enabled: false}\n",
	"classes": `
ingressClass: {create: true, default: true, annotations: {a: b}, parameters: {apiGroup: configuration.konghq.com, kind: IngressClassParameters, name: edge, scope: Namespace, namespace: default}}
gatewayClass: {create: true, name: edge-class, annotations: {a: b}}
`,
	"no classes":                        "ingressClass: {create: false}\ngatewayClass: {create: false}\n",
	"gateway services":                  "gatewayServices: {enabled: true}\n",
	"gateway services without a policy": "gatewayServices: {enabled: true, policy: false}\nsettings: {watchNamespace: default}\n",
	"admission":                         "admission: {enabled: true, actions: [Warn, Audit]}\n",
	"account":                           "serviceAccount: {name: ours, annotations: {a: b}, tokenSeconds: 1800}\nrbac: {name: ours}\n",
	"account of somebody":               "serviceAccount: {create: false, name: default}\nrbac: {create: false}\n",
	"namespace":                         "namespace: {create: true, labels: {a: b}}\n",
	"pod": `
resources: {requests: {cpu: "1", memory: 1Gi}, limits: {memory: 2Gi}}
volumes: {prefix: {sizeLimit: 1Gi}, persisted: {sizeLimit: 1Gi}, tmp: {sizeLimit: 10Mi}}
startupProbe: {failureThreshold: 300}
readinessProbe: {periodSeconds: 2}
livenessProbe: {timeoutSeconds: 9}
shutdown: {waitSeconds: 20, drainSeconds: 300}
terminationGracePeriodSeconds: 400
updateStrategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%}}
minReadySeconds: 5
revisionHistoryLimit: 3
topologySpreadConstraints: [{maxSkew: 2, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {a: b}}}, {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway}]
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: edge, operator: Exists, effect: NoSchedule}]
affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app.kubernetes.io/name: kong}}}]}}
priorityClassName: system-cluster-critical
runtimeClassName: gvisor
schedulerName: ours
hostAliases: [{ip: 192.0.2.1, hostnames: [a.example]}]
dnsPolicy: None
dnsConfig: {nameservers: [192.0.2.53], options: [{name: ndots, value: "1"}]}
deploymentAnnotations: {reloader.stakater.com/auto: "true"}
podAnnotations: {a: b}
podLabels: {a: b}
extraEnv: [{name: TZ, value: UTC}]
extraEnvFrom: [{configMapRef: {name: more, optional: true}}]
extraVolumes: [{name: plugins, configMap: {name: plugins}}]
extraVolumeMounts: [{name: plugins, mountPath: /opt/plugins, readOnly: true}]
initContainers: [{name: first, image: registry.example/first}]
extraContainers: [{name: logs, image: registry.example/logs}]
extraObjects:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: "{{ .Release.Name }}-one", namespace: "{{ .Release.Namespace }}"}}
- |
  apiVersion: v1
  kind: ConfigMap
  metadata: {name: two, namespace: {{ .Release.Namespace }}}
`,
	"security": "openshift: true\npodSecurityContext: {fsGroup: 2000}\nsecurityContext: {runAsNonRoot: true}\n",
	"autoscaling": `
autoscaling:
  enabled: true
  minReplicas: 3
  maxReplicas: 30
  targetCPUUtilizationPercentage: 60
  targetRequestsPerSecond: 500
  requestsMetric: kong_requests
  metrics: [{type: ContainerResource, containerResource: {name: memory, container: kong, target: {type: Utilization, averageUtilization: 80}}}]
  behavior: {scaleUp: {policies: [{type: Percent, value: 100, periodSeconds: 15}]}}
`,
	"disruption":      "podDisruptionBudget: {maxUnavailable: 30%, unhealthyPodEvictionPolicy: IfHealthyBudget}\n",
	"no disruption":   "podDisruptionBudget: {enabled: false}\n",
	"no policies":     "networkPolicies: {enabled: false}\n",
	"no metrics port": "settings: {metricsBindAddress: \"off\"}\n",
	"one port":        "settings: {metricsBindAddress: \":10254\"}\nmonitoring: {podMonitor: {enabled: true}, serviceMonitor: {enabled: true}}\n",
	"policies": `
networkPolicies:
  monitoring: [{namespaceSelector: {matchLabels: {a: b}}, podSelector: {matchLabels: {app: prometheus}}}]
  gatewayPorts: [{port: 30000, endPort: 30010}]
  apiServerPorts: [16443]
  egressToAddresses: true
  egressExcept: [10.1.0.0/16, "fd00:9::/32"]
  extraIngress: [{from: [{ipBlock: {cidr: 10.0.0.0/16}}], ports: [{port: 8100}]}]
  extraEgress: [{to: [{ipBlock: {cidr: 192.0.2.0/24}}]}]
`,
	"policies for pods alone": "networkPolicies: {egressToAddresses: false}\n",
	"monitoring": `
monitoring:
  service: {annotations: {a: b}, labels: {a: b}}
  plugin: {enabled: true, config: {per_consumer: true}}
  serviceMonitor: {enabled: true, labels: {release: prometheus}, annotations: {a: b}, interval: 15s, scrapeTimeout: 5s, relabelings: [{action: labeldrop, regex: x}], metricRelabelings: [{action: drop, sourceLabels: [__name__], regex: go_.*}]}
  podMonitor: {enabled: true, labels: {release: prometheus}, annotations: {a: b}, interval: 15s, scrapeTimeout: 5s, relabelings: [{action: labeldrop, regex: x}], metricRelabelings: [{action: drop, sourceLabels: [__name__], regex: go_.*}]}
  prometheusRule: {enabled: true, labels: {release: prometheus}, annotations: {a: b}, selector: 'namespace="kong"', runbookURL: "https://wiki.example/alerts", disabled: [KongErrors], alertLabels: {team: edge}, extraRules: [{alert: Own, expr: vector(1)}]}
  dashboards: {enabled: true, namespace: default, labels: {dashboards: "yes"}, annotations: {folder: Kong}}
`,
	"no metrics Service": "monitoring: {service: {enabled: false}}\n",
}

// allKinds installs the definitions of all custom kinds: Gateway API's and Kong's as "kube-sync definitions" prints them,
// and those of the Prometheus Operator that the chart uses.
func allKinds(t *testing.T, cp *lab.ControlPlane) {
	t.Helper()
	for _, bundle := range []string{definitions.GatewayAPI, definitions.Kong} {
		manifests, err := definitions.YAML(bundle)
		if err != nil {
			t.Fatal(err)
		}
		cp.MustApply(t, "", string(manifests))
	}
	operator, err := os.ReadFile("testdata/prometheus-operator.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cp.MustApply(t, "", string(operator))
}

// TestChartOptions lets a real API server validate the chart with each option. Unknown fields, wrong types and broken
// rules are errors.
func TestChartOptions(t *testing.T) {
	lab.Require(t)
	cp := lab.StartControlPlane(t)
	allKinds(t, cp)
	const namespace = "kong"
	cp.MustApply(t, "", "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+namespace+"}\n")
	for name, values := range chartOptions {
		rendered, err := helm.Render(chartDir, helm.Release{Name: "kong", Namespace: namespace, Values: values, APIVersions: served})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := cp.DryRun(t.Context(), namespace, rendered.Manifests()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Run("restricted", func(t *testing.T) { testChartIsRestricted(t, cp) })
	t.Run("all values", testAllValuesAreOptions)
}

// testChartIsRestricted creates the chart's pod in a namespace that enforces the strictest profile of pod security.
func testChartIsRestricted(t *testing.T, cp *lab.ControlPlane) {
	const namespace = "restricted"
	cp.MustApply(t, "", "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+namespace+", labels: {pod-security.kubernetes.io/enforce: restricted}}\n---\n"+
		"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: kong, namespace: "+namespace+"}\n")
	for values, want := range map[string]bool{
		"{}": true, "openshift: true\n": true, "autoscaling: {enabled: true}\n": true,
		// A forbidden pod is rejected.
		"ports: {http: {hostPort: 80}}\n": false, "securityContext: {allowPrivilegeEscalation: true}\n": false,
	} {
		rendered, err := helm.Render(chartDir, helm.Release{Name: "kong", Namespace: namespace, Values: values})
		if err != nil {
			t.Fatal(err)
		}
		var d appsv1.Deployment
		if err := yaml.UnmarshalStrict([]byte(only(strings.Join(rendered.Documents, "\n---\n"), "Deployment")), &d); err != nil {
			t.Fatal(err)
		}
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "tried", Labels: d.Spec.Template.Labels}, Spec: d.Spec.Template.Spec}
		eventually.Nil(t, time.Minute, func() error { // the API server sees an account a little later than it stores it
			_, err = cp.Client.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			if err != nil && strings.Contains(err.Error(), "not found") {
				return err
			}
			return nil
		})
		if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "PodSecurity") {
			t.Errorf("with %s the pod: %v", values, err)
		}
	}
}

// testAllValuesAreOptions checks that chartOptions change each value of the chart.
func testAllValuesAreOptions(t *testing.T) {
	raw, err := os.ReadFile(chartDir + "/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defaults := map[string]any{}
	if err := yaml.Unmarshal(raw, &defaults); err != nil {
		t.Fatal(err)
	}
	changed := map[string]bool{}
	for name, values := range chartOptions {
		given := map[string]any{}
		if err := yaml.Unmarshal([]byte(values), &given); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for path, value := range leaves(given, "") {
			for ; path != ""; path = path[:max(0, strings.LastIndex(path, "."))] {
				if other, ok := at(defaults, path); ok {
					if !reflect.DeepEqual(other, value) {
						changed[path] = true
					}
					break
				}
			}
		}
	}
	var missing []string
	for path := range leaves(defaults, "") {
		if !changed[path] && !slices.ContainsFunc([]string{"startupProbe.", "readinessProbe.", "livenessProbe.", "podSecurityContext.", "securityContext.",
			"monitoring.plugin.config.", "resources.", "autoscaling.behavior.", "updateStrategy.", "namespace.labels.", "monitoring.dashboards.labels."},
			func(whole string) bool { return strings.HasPrefix(path, whole) }) {
			missing = append(missing, path)
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		t.Errorf("no option changes %s", strings.Join(missing, ", "))
	}
}

// leaves returns the values of a tree by their paths: all that are not maps, and empty maps.
func leaves(tree map[string]any, above string) map[string]any {
	all := map[string]any{}
	for key, value := range tree {
		path := strings.TrimPrefix(above+"."+key, ".")
		if child, ok := value.(map[string]any); ok && len(child) > 0 {
			for p, v := range leaves(child, path) {
				all[p] = v
			}
			continue
		}
		all[path] = value
	}
	return all
}

func at(tree map[string]any, path string) (any, bool) {
	var value any = tree
	for key := range strings.SplitSeq(path, ".") {
		of, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = of[key]; !ok {
			return nil, false
		}
	}
	return value, true
}
