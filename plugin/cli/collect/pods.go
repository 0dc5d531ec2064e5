package collect

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/plugin/settings"
)

// pod returns what a bundle has of a pod. Of the environment, only the settings of kube-sync have
// values.
func (r redactor) pod(pod corev1.Pod) map[string]any {
	var containers []map[string]any
	for _, c := range pod.Spec.Containers {
		environment := map[string]string{}
		for _, variable := range c.Env {
			environment[variable.Name] = variable.Value
			if !strings.HasPrefix(variable.Name, settings.Setting{}.KongEnvironment()) && variable.Value != "" {
				r.scrubber.learn(variable.Value)
				environment[variable.Name] = hidden
			}
		}
		containers = append(containers, map[string]any{
			"name": c.Name, "image": c.Image, "resources": c.Resources, "ports": c.Ports, "env": environment,
		})
	}
	return map[string]any{
		"namespace": pod.Namespace, "name": pod.Name, "labels": pod.Labels, "created": pod.CreationTimestamp,
		"node": pod.Spec.NodeName, "serviceAccount": pod.Spec.ServiceAccountName, "containers": containers, "status": pod.Status,
	}
}
