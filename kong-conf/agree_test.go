package kongconf_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/plugin/settings"
)

// conf returns the settings of kong.conf.
func conf(t *testing.T) map[string]string {
	t.Helper()
	set := map[string]string{}
	for n, line := range strings.Split(strings.ReplaceAll(readFile(t, "kong.conf"), "\\\n  ", ""), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, " = ")
		if !ok || strings.Contains(value, "#") {
			t.Fatalf("kong.conf: line %d is not of the form key = value: %s", n+1, line)
		}
		if _, twice := set[key]; twice {
			t.Errorf("kong.conf: %s occurs twice", key)
		}
		set[key] = value
	}
	return set
}

// deployment returns the Deployment of install.yaml and its only container.
func deployment(t *testing.T) (appsv1.Deployment, corev1.Container) {
	t.Helper()
	d := decode[appsv1.Deployment](t, objects(t, readFile(t, "install.yaml")), "Deployment kong/kong")
	if n := len(d.Spec.Template.Spec.Containers); n != 1 {
		t.Fatalf("the pod has %d containers", n)
	}
	return d, d.Spec.Template.Spec.Containers[0]
}

// officialValues are values of the official chart, in helm-values.yaml.
type officialValues struct {
	Env        map[string]any `json:"env"`
	Deployment struct {
		UserDefinedVolumes      []corev1.Volume      `json:"userDefinedVolumes"`
		UserDefinedVolumeMounts []corev1.VolumeMount `json:"userDefinedVolumeMounts"`
	} `json:"deployment"`
	ReadinessProbe                corev1.Probe                `json:"readinessProbe"`
	LivenessProbe                 corev1.Probe                `json:"livenessProbe"`
	StartupProbe                  corev1.Probe                `json:"startupProbe"`
	Lifecycle                     corev1.Lifecycle            `json:"lifecycle"`
	TerminationGracePeriodSeconds int64                       `json:"terminationGracePeriodSeconds"`
	Resources                     corev1.ResourceRequirements `json:"resources"`
	Image                         struct {
		Repository string `json:"repository"`
		Tag        string `json:"tag"`
	} `json:"image"`
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints"`
	ExtraObjects              []map[string]any                  `json:"extraObjects"`
}

func chartValues(t *testing.T) officialValues {
	t.Helper()
	var values officialValues
	if err := yaml.Unmarshal([]byte(readFile(t, "helm-values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// chartObjects returns the extraObjects, with words in place of the chart's templates.
func chartObjects(t *testing.T) map[string]map[string]any {
	t.Helper()
	var documents []string
	for _, object := range chartValues(t).ExtraObjects {
		document, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, strings.NewReplacer(
			`'{{ include "kong.namespace" . }}'`, "NAMESPACE",
			`'{{ include "kong.serviceAccountName" . }}'`, "ACCOUNT",
		).Replace(string(document)))
	}
	return objects(t, strings.Join(documents, "---\n"))
}

func TestPrefixesAgree(t *testing.T) {
	kong := conf(t)
	prefix := kong["prefix"]
	if want := "/usr/local/bin/kube-sync -kong-prefix " + prefix; kong["pluginserver_kube_sync_start_cmd"] != want {
		t.Errorf("kong.conf: the start command is %q, not %q", kong["pluginserver_kube_sync_start_cmd"], want)
	}
	if want := "unix:" + prefix + "/sockets/admin.sock"; kong["nginx_admin_listen"] != want {
		t.Errorf("kong.conf: nginx_admin_listen is %q, not %q", kong["nginx_admin_listen"], want)
	}
	for _, line := range []string{
		"ENV KONG_PREFIX=" + prefix,
		"COPY --from=build --chmod=0755 /out/kube-sync /usr/local/bin/kube-sync",
	} {
		if !slices.Contains(dockerfile(t), line) {
			t.Errorf("docker/Dockerfile has no line %q", line)
		}
	}
	_, container := deployment(t)
	if got := environment(container)["KONG_PREFIX"]; got != prefix {
		t.Errorf("install.yaml: KONG_PREFIX is %q, kong.conf has %s", got, prefix)
	}
	mounts := mounts(container.VolumeMounts)
	lmdb := prefix + "/dbless.lmdb"
	if mounts[prefix] == "" || mounts[lmdb] == "" || mounts["/tmp"] == "" {
		t.Errorf("install.yaml: with a read-only root file system %s, %s and /tmp have to be mounted: %v", prefix, lmdb, mounts)
	}
	// The official chart has a volume for its own prefix.
	if prefix != "/kong_prefix" || mounts[lmdb] != chartMounts(t)[lmdb] {
		t.Errorf("helm-values.yaml: the volumes are %v", chartMounts(t))
	}
}

func chartMounts(t *testing.T) map[string]string {
	return mounts(chartValues(t).Deployment.UserDefinedVolumeMounts)
}

func mounts(all []corev1.VolumeMount) map[string]string {
	byPath := map[string]string{}
	for _, mount := range all {
		byPath[mount.MountPath] = mount.Name
	}
	return byPath
}

func environment(container corev1.Container) map[string]string {
	values := map[string]string{}
	for _, e := range container.Env {
		values[e.Name] = e.Value
	}
	return values
}

// TestSettingsAreKnown checks that kube-sync has all settings that are set for it.
func TestSettingsAreKnown(t *testing.T) {
	known := map[string]bool{}
	for _, setting := range settings.Table() {
		known[setting.KongEnvironment()] = true
	}
	for _, ofKong := range []string{"START_CMD", "QUERY_CMD", "SOCKET"} {
		known["KONG_PLUGINSERVER_KUBE_SYNC_"+ofKong] = true
	}
	_, container := deployment(t)
	set := map[string][]string{
		"kong.conf":        slices.Collect(maps.Keys(conf(t))),
		"helm-values.yaml": slices.Collect(maps.Keys(chartValues(t).Env)),
	}
	for file, keys := range set {
		for _, key := range keys {
			variable := "KONG_" + strings.ToUpper(key)
			if strings.HasPrefix(variable, "KONG_PLUGINSERVER_KUBE_SYNC_") && !known[variable] {
				t.Errorf("%s: kube-sync has no setting %s", file, key)
			}
		}
	}
	for variable := range environment(container) {
		if strings.HasPrefix(variable, "KONG_PLUGINSERVER_KUBE_SYNC_") && !known[variable] {
			t.Errorf("install.yaml: kube-sync has no setting %s", variable)
		}
	}
}

var portOfListener = regexp.MustCompile(`:(\d+)\b`)

// TestPortsAgree follows each port from kong.conf, or from kube-sync's default, through the pod
// to the Services.
func TestPortsAgree(t *testing.T) {
	kong := conf(t)
	listening := portsOf(kong["proxy_listen"], kong["status_listen"], setting(t, "HEALTH_PROBE_BIND_ADDRESS"), setting(t, "METRICS_BIND_ADDRESS"))
	_, container := deployment(t)
	byName := map[string]int{}
	var exposed []int
	for _, port := range container.Ports {
		byName[port.Name] = int(port.ContainerPort)
		exposed = append(exposed, int(port.ContainerPort))
	}
	if !slices.Equal(exposed, listening) {
		t.Errorf("install.yaml: the container's ports are %v, Kong and kube-sync listen on %v", exposed, listening)
	}
	if want := "EXPOSE " + strings.Trim(fmt.Sprint(listening), "[]"); !slices.Contains(dockerfile(t), want) {
		t.Errorf("docker/Dockerfile has no line %q", want)
	}
	installed := objects(t, readFile(t, "install.yaml"))
	proxy := decode[corev1.Service](t, installed, "Service kong/kong-proxy")
	var mapped []string
	for _, port := range proxy.Spec.Ports {
		mapped = append(mapped, fmt.Sprintf("%d:%d", port.Port, byName[port.TargetPort.StrVal]))
	}
	if got := strings.Join(mapped, ", "); got != kong["port_maps"] {
		t.Errorf("install.yaml: the Service maps %s, kong.conf's port_maps are %s", got, kong["port_maps"])
	}
	metrics := decode[corev1.Service](t, installed, "Service kong/kong-metrics")
	for _, port := range slices.Concat(proxy.Spec.Ports, metrics.Spec.Ports) {
		if byName[port.TargetPort.StrVal] == 0 {
			t.Errorf("install.yaml: no port of the pod is named %s", port.TargetPort.StrVal)
		}
	}
	if got := chartValues(t).ReadinessProbe.HTTPGet.Port.IntValue(); got != byName["health"] {
		t.Errorf("helm-values.yaml: the readiness probe is at port %d, not %d", got, byName["health"])
	}
	if got := chartValues(t).Env["admin_listen"]; got != kong["admin_listen"] {
		t.Errorf("helm-values.yaml: admin_listen is %v, not %s", got, kong["admin_listen"])
	}
}

func portsOf(addresses ...string) []int {
	var ports []int
	for _, address := range addresses {
		for _, found := range portOfListener.FindAllStringSubmatch(address, -1) {
			port, _ := strconv.Atoi(found[1])
			ports = append(ports, port)
		}
	}
	return ports
}

// setting returns the default of one of kube-sync's settings.
func setting(t *testing.T, name string) string {
	t.Helper()
	for _, s := range settings.Table() {
		if s.Name == name {
			return s.Default
		}
	}
	t.Fatalf("kube-sync has no setting %s", name)
	return ""
}

// TestPersistedConfigurationFits checks that a configuration reaches Kong's own limit, which
// Kong reports, before the limit of the volume.
func TestPersistedConfigurationFits(t *testing.T) {
	size, err := resource.ParseQuantity(strings.Replace(conf(t)["lmdb_map_size"], "m", "Mi", 1))
	if err != nil {
		t.Fatal(err)
	}
	d, _ := deployment(t)
	for file, volumes := range map[string][]corev1.Volume{
		"install.yaml": d.Spec.Template.Spec.Volumes, "helm-values.yaml": chartValues(t).Deployment.UserDefinedVolumes,
	} {
		i := slices.IndexFunc(volumes, func(v corev1.Volume) bool { return v.Name == "persisted" })
		if i < 0 || volumes[i].EmptyDir == nil || volumes[i].EmptyDir.SizeLimit.Cmp(size) <= 0 {
			t.Errorf("%s: the volume `persisted` is not larger than lmdb_map_size, %s", file, size.String())
		}
	}
}

// TestChartRunsTheSame compares helm-values.yaml with install.yaml.
func TestChartRunsTheSame(t *testing.T) {
	d, container := deployment(t)
	values := chartValues(t)
	if image := values.Image.Repository + ":" + values.Image.Tag; image != container.Image {
		t.Errorf("the image is %s in helm-values.yaml, %s in install.yaml", image, container.Image)
	}
	if values.Env["router_flavor"] != conf(t)["router_flavor"] {
		t.Errorf("router_flavor is %v in helm-values.yaml, %s in kong.conf", values.Env["router_flavor"], conf(t)["router_flavor"])
	}
	for _, name := range []string{"proxy_listen", "status_listen", "stream_listen"} {
		if got := strings.Fields(fmt.Sprint(values.Env[name])); !slices.Equal(got, strings.Fields(conf(t)[name])) {
			t.Errorf("%s is %v in helm-values.yaml, %s in kong.conf", name, got, conf(t)[name])
		}
	}
	ours, theirs := slices.Clone(d.Spec.Template.Spec.TopologySpreadConstraints), slices.Clone(values.TopologySpreadConstraints)
	if len(ours) != 1 || len(theirs) != 1 {
		t.Fatalf("the topology spread constraints are %v in helm-values.yaml, %v in install.yaml", theirs, ours)
	}
	ours[0].LabelSelector, theirs[0].LabelSelector = nil, nil
	if !reflect.DeepEqual(ours, theirs) {
		t.Errorf("the topology spread constraints are %v in helm-values.yaml, %v in install.yaml", theirs, ours)
	}
	if !slices.Equal(values.Lifecycle.PreStop.Exec.Command, container.Lifecycle.PreStop.Exec.Command) {
		t.Error("the preStop hooks differ")
	}
	if values.TerminationGracePeriodSeconds != *d.Spec.Template.Spec.TerminationGracePeriodSeconds {
		t.Error("the grace periods differ")
	}
	for name, pair := range map[string][2]corev1.Probe{
		"readiness": {values.ReadinessProbe, *container.ReadinessProbe},
		"liveness":  {values.LivenessProbe, *container.LivenessProbe},
		"startup":   {values.StartupProbe, *container.StartupProbe},
	} {
		here, there := pair[0], pair[1]
		if here.HTTPGet.Path != there.HTTPGet.Path || here.PeriodSeconds != there.PeriodSeconds ||
			here.TimeoutSeconds != there.TimeoutSeconds || here.FailureThreshold != there.FailureThreshold {
			t.Errorf("the %s probes differ", name)
		}
	}
	if fmt.Sprint(values.Resources) != fmt.Sprint(container.Resources) {
		t.Error("the resources differ")
	}
}

func dockerfile(t *testing.T) []string {
	t.Helper()
	return strings.Split(readFile(t, filepath.Join("..", "docker", "Dockerfile")), "\n")
}

var workerDefault = regexp.MustCompile(`(?m)^  ([a-z_]+) = "([^"]*)",$`)

// TestWorkersHaveTheSameDefaults compares the defaults of settings that Kong's workers read with
// those that kube-sync documents. Lua has no defaults for settings that are empty or false, and words
// in brackets stand for values that workers compute.
func TestWorkersHaveTheSameDefaults(t *testing.T) {
	inLua := map[string]string{}
	for _, found := range workerDefault.FindAllStringSubmatch(readFile(t, "lua/kong/plugins/kube-sync-request/settings.lua"), -1) {
		inLua[strings.ToUpper(found[1])] = found[2]
	}
	inGo := map[string]string{}
	for _, s := range settings.Table() {
		if s.Workers && s.Default != "" && s.Default != "false" && !strings.HasPrefix(s.Default, "[") {
			inGo[s.Name] = s.Default
		}
	}
	if len(inGo) == 0 || !maps.Equal(inLua, inGo) {
		t.Errorf("workers have %v, kube-sync documents %v", inLua, inGo)
	}
}
