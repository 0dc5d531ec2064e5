package kongconf_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/watch/cluster"
)

// podValues are what the chart makes the pod's security and its volumes of.
type podValues struct {
	SecurityContext          corev1.PodSecurityContext `json:"securityContext"`
	ContainerSecurityContext corev1.SecurityContext    `json:"containerSecurityContext"`
	Deployment               struct {
		PrefixDir          struct{ SizeLimit resource.Quantity } `json:"prefixDir"`
		TmpDir             struct{ SizeLimit resource.Quantity } `json:"tmpDir"`
		UserDefinedVolumes []corev1.Volume                       `json:"userDefinedVolumes"`
	} `json:"deployment"`
	Resources corev1.ResourceRequirements `json:"resources"`
}

func chartPod(t *testing.T) podValues {
	t.Helper()
	var values podValues
	if err := yaml.Unmarshal([]byte(readFile(t, "helm-values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// TestPodMayNothing holds both installations to the strictest profile of pod security, and to
// a root file system that nothing writes to.
func TestPodMayNothing(t *testing.T) {
	d, container := deployment(t)
	spec := d.Spec.Template.Spec
	if spec.HostNetwork || spec.HostPID || spec.HostIPC {
		t.Error("install.yaml: the pod shares something of its node")
	}
	chart := chartPod(t)
	for file, got := range map[string]struct {
		pod       corev1.PodSecurityContext
		container corev1.SecurityContext
	}{
		"install.yaml":     {*spec.SecurityContext, *container.SecurityContext},
		"helm-values.yaml": {chart.SecurityContext, chart.ContainerSecurityContext},
	} {
		pod, container := got.pod, got.container
		for what, ok := range map[string]bool{
			"runAsNonRoot":             pod.RunAsNonRoot != nil && *pod.RunAsNonRoot,
			"runAsUser":                pod.RunAsUser != nil && *pod.RunAsUser == 1000,
			"runAsGroup":               pod.RunAsGroup != nil && *pod.RunAsGroup == 1000,
			"seccompProfile":           pod.SeccompProfile != nil && pod.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault,
			"allowPrivilegeEscalation": container.AllowPrivilegeEscalation != nil && !*container.AllowPrivilegeEscalation,
			"readOnlyRootFilesystem":   container.ReadOnlyRootFilesystem != nil && *container.ReadOnlyRootFilesystem,
			"capabilities": container.Capabilities != nil && len(container.Capabilities.Add) == 0 &&
				cmp.Equal(container.Capabilities.Drop, []corev1.Capability{"ALL"}),
			"privileged": container.Privileged == nil || !*container.Privileged,
		} {
			if !ok {
				t.Errorf("%s: the security context has no strict %s", file, what)
			}
		}
	}
}

// TestTokenIsShort: the token that Kubernetes mounts by itself is extended to a year, and
// this one can be read by whatever runs in the container.
func TestTokenIsShort(t *testing.T) {
	d, container := deployment(t)
	spec := d.Spec.Template.Spec
	if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
		t.Error("install.yaml: a token is mounted by itself")
	}
	if strings.Contains(readFile(t, "helm-values.yaml"), "automountServiceAccountToken: true") {
		t.Error("helm-values.yaml: a token is mounted by itself")
	}
	const token = "service-account"
	find := func(volumes []corev1.Volume) *corev1.Volume {
		if i := slices.IndexFunc(volumes, func(v corev1.Volume) bool { return v.Name == token }); i >= 0 {
			return &volumes[i]
		}
		t.Fatal("there is no volume with a token")
		return nil
	}
	ours, chart := find(spec.Volumes), find(chartPod(t).Deployment.UserDefinedVolumes)
	if diff := cmp.Diff(ours, chart); diff != "" {
		t.Errorf("helm-values.yaml: the volume with the token is another one:\n%s", diff)
	}
	// 3607 seconds, exactly, is what the API server extends.
	source := ours.Projected.Sources[0].ServiceAccountToken
	if source == nil || source.Path != "token" || source.Audience != "" || *source.ExpirationSeconds < 600 || *source.ExpirationSeconds > 3600 {
		t.Errorf("the token is %+v", source)
	}
	for file, all := range map[string][]corev1.VolumeMount{"install.yaml": container.VolumeMounts, "helm-values.yaml": chartValues(t).Deployment.UserDefinedVolumeMounts} {
		if mounts(all)[cluster.ServiceAccountDir] != token {
			t.Errorf("%s: the token is not where kube-sync looks for it, in %s", file, cluster.ServiceAccountDir)
		}
	}
}

// TestPodHasLimits sees to it that a pod takes no more of its node than it says: each volume
// has a limit, and those on disk fit into the limit of the pod.
func TestPodHasLimits(t *testing.T) {
	d, container := deployment(t)
	chart := chartPod(t)
	limit := func(v corev1.Volume) resource.Quantity {
		if v.Projected != nil {
			return resource.Quantity{}
		}
		if v.EmptyDir == nil || v.EmptyDir.SizeLimit == nil {
			t.Fatalf("volume %s has no size limit", v.Name)
		}
		return *v.EmptyDir.SizeLimit
	}
	var onDisk, chartOnDisk resource.Quantity
	byName := map[string]resource.Quantity{}
	for _, v := range d.Spec.Template.Spec.Volumes {
		byName[v.Name] = limit(v)
		if v.EmptyDir != nil && v.EmptyDir.Medium != corev1.StorageMediumMemory {
			onDisk.Add(limit(v))
		}
	}
	for _, v := range chart.Deployment.UserDefinedVolumes {
		if got, want := limit(v), byName[v.Name]; got.Cmp(want) != 0 {
			t.Errorf("helm-values.yaml: volume %s may have %s, in install.yaml %s", v.Name, &got, &want)
		}
		if v.EmptyDir != nil && v.EmptyDir.Medium != corev1.StorageMediumMemory {
			chartOnDisk.Add(limit(v))
		}
	}
	chartOnDisk.Add(chart.Deployment.PrefixDir.SizeLimit)
	chartOnDisk.Add(chart.Deployment.TmpDir.SizeLimit)
	if onDisk.IsZero() || onDisk.Cmp(chartOnDisk) != 0 {
		t.Errorf("volumes on disk: %s in install.yaml, %s with the chart", &onDisk, &chartOnDisk)
	}
	for file, r := range map[string]corev1.ResourceRequirements{"install.yaml": container.Resources, "helm-values.yaml": chart.Resources} {
		request, limit := r.Requests[corev1.ResourceEphemeralStorage], r.Limits[corev1.ResourceEphemeralStorage]
		if request.IsZero() || limit.Cmp(onDisk) <= 0 {
			t.Errorf("%s: ephemeral storage: request %s, limit %s, of which volumes take %s", file, &request, &limit, &onDisk)
		}
		memory := r.Limits[corev1.ResourceMemory]
		if persisted := byName["persisted"]; memory.Cmp(persisted) <= 0 {
			t.Errorf("%s: the memory's limit %s has no room for more than the persisted configuration, %s", file, &memory, &persisted)
		}
	}
}
