package doctor

import (
	"cmp"
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kube-sync/kube-sync/plugin/settings"
)

// The labels of the pods of gateways.
const (
	partOf   = "app.kubernetes.io/part-of"
	instance = "app.kubernetes.io/instance"
)

// Patients returns the gateways of the cluster, or inside a pod this gateway.
func (d Doctor) Patients(ctx context.Context) (patients []Patient, found []Finding) {
	f := findings{area: "gateway"}
	namespace := metav1.NamespaceAll
	if d.Inside != nil {
		namespace = d.Inside.Settings.PodNamespace
	}
	list, err := d.Clients.Core.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: labels.Set{partOf: "kube-sync"}.String()})
	if err != nil && d.Inside == nil {
		f.unread("the pods of gateways", err)
	}
	byRelease := map[string]*Patient{}
	for _, pod := range sortedPods(list) {
		release := pod.Namespace + "/" + cmp.Or(pod.Labels[instance], pod.Name)
		if byRelease[release] == nil {
			byRelease[release] = newPatient(pod)
		}
		byRelease[release].Pods = append(byRelease[release].Pods, pod)
	}
	for _, p := range byRelease {
		patients = append(patients, *p)
	}
	slices.SortFunc(patients, func(a, b Patient) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	if d.Inside != nil {
		return []Patient{d.Inside.patient(patients)}, nil
	}
	if len(patients) == 0 {
		given, invalid := settings.Load(settings.Sources{})
		patients = []Patient{{Namespace: "kong", Name: "kong", Settings: given, Invalid: invalid}}
		f.add(Failure, "install it: helm upgrade --install kong kong-conf/chart --namespace kong --create-namespace",
			"there is no pod with the label %s=kube-sync; what follows is for a gateway with default settings", partOf)
	}
	return patients, f.all
}

func sortedPods(list *corev1.PodList) []corev1.Pod {
	if list == nil {
		return nil
	}
	slices.SortFunc(list.Items, func(a, b corev1.Pod) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return list.Items
}

// newPatient returns the gateway of a pod.
func newPatient(pod corev1.Pod) *Patient {
	p := &Patient{Namespace: pod.Namespace, Name: cmp.Or(pod.Labels[instance], pod.Name), Account: pod.Spec.ServiceAccountName}
	environ := []string{"POD_NAMESPACE=" + pod.Namespace, "POD_NAME=" + pod.Name}
	for _, container := range pod.Spec.Containers {
		values := environment(pod, container)
		for _, variable := range container.Env {
			value, known := values[variable.Name]
			if name, ok := strings.CutPrefix(variable.Name, settings.Setting{}.KongEnvironment()); ok && known {
				environ = append(environ, settings.Setting{Name: name}.Environment()+"="+value)
			}
		}
	}
	p.Settings, p.Invalid = settings.Load(settings.Sources{Environ: environ})
	return p
}

// environment returns the variables of a container whose values are known: those of Secrets and
// ConfigMaps are not. A value may refer to earlier variables, as $(NAME).
func environment(pod corev1.Pod, container corev1.Container) map[string]string {
	values := map[string]string{}
	for _, variable := range container.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil {
			fields := map[string]string{"metadata.name": pod.Name, "metadata.namespace": pod.Namespace, "status.podIP": pod.Status.PodIP}
			if from.FieldRef == nil || fields[from.FieldRef.FieldPath] == "" {
				continue
			}
			value = fields[from.FieldRef.FieldPath]
		}
		for name, earlier := range values {
			value = strings.ReplaceAll(value, "$("+name+")", earlier)
		}
		values[variable.Name] = value
	}
	return values
}
