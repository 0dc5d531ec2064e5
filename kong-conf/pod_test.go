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

// podValues are the values for the pod's security and volumes in helm-values.yaml.
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

// TestPodIsRestricted checks that both installations comply with the restricted profile of pod
// security, and have a read-only root file system.
func TestPodIsRestricted(t *testing.T) {
	d, container := deployment(t)
	spec := d.Spec.Template.Spec
	if spec.HostNetwork || spec.HostPID || spec.HostIPC {
		t.Error("install.yaml: the pod shares a namespace of its node")
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

// TestTokenIsShortLived checks the lifetime of the token, because everything in the container can read
// it. Kubernetes extends automatically mounted tokens to a year.
func TestTokenIsShortLived(t *testing.T) {
	d, container := deployment(t)
	spec := d.Spec.Template.Spec
	if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
		t.Error("install.yaml: a token is mounted automatically")
	}
	if strings.Contains(readFile(t, "helm-values.yaml"), "automountServiceAccountToken: true") {
		t.Error("helm-values.yaml: a token is mounted automatically")
	}
	const token = "service-account"
	find := func(volumes []corev1.Volume) *corev1.Volume {
		if i := slices.IndexFunc(volumes, func(v corev1.Volume) bool { return v.Name == token }); i >= 0 {
			return &volumes[i]
		}
		t.Fatal("no volume has a token")
		return nil
	}
	ours, chart := find(spec.Volumes), find(chartPod(t).Deployment.UserDefinedVolumes)
	if diff := cmp.Diff(ours, chart); diff != "" {
		t.Errorf("helm-values.yaml: the volume with the token differs:\n%s", diff)
	}
	// The API server extends tokens of exactly 3607 seconds.
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

// TestPodHasLimits checks that each volume has a limit, and that the volumes on disk fit into the
// limit of the pod.
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
			t.Errorf("helm-values.yaml: the limit of volume %s is %s, in install.yaml %s", v.Name, &got, &want)
		}
		if v.EmptyDir != nil && v.EmptyDir.Medium != corev1.StorageMediumMemory {
			chartOnDisk.Add(limit(v))
		}
	}
	chartOnDisk.Add(chart.Deployment.PrefixDir.SizeLimit)
	chartOnDisk.Add(chart.Deployment.TmpDir.SizeLimit)
	if onDisk.IsZero() || onDisk.Cmp(chartOnDisk) != 0 {
		t.Errorf("volumes on disk: %s in install.yaml, %s in helm-values.yaml", &onDisk, &chartOnDisk)
	}
	for file, r := range map[string]corev1.ResourceRequirements{"install.yaml": container.Resources, "helm-values.yaml": chart.Resources} {
		request, limit := r.Requests[corev1.ResourceEphemeralStorage], r.Limits[corev1.ResourceEphemeralStorage]
		if request.IsZero() || limit.Cmp(onDisk) <= 0 {
			t.Errorf("%s: ephemeral storage: request %s, limit %s, volumes %s", file, &request, &limit, &onDisk)
		}
		memory := r.Limits[corev1.ResourceMemory]
		if persisted := byName["persisted"]; memory.Cmp(persisted) <= 0 {
			t.Errorf("%s: the memory limit %s is not more than the persisted configuration, %s", file, &memory, &persisted)
		}
	}
}
