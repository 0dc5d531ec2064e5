package doctor

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// examinePods examines the pods of a gateway: whether they are ready, restart, and have limits.
func (d Doctor) examinePods(p Patient) []Finding {
	f := findings{area: "pods"}
	ready := 0
	for _, pod := range p.Pods {
		if f.pod(pod) {
			ready++
		}
	}
	switch {
	case len(p.Pods) == 0 && d.Inside != nil:
		f.unknown("", "the gateway's account may not read pods")
	case len(p.Pods) == 0:
	case ready == len(p.Pods):
		f.ok("all %d pods are ready", ready)
	default:
		f.add(Failure, fmt.Sprintf("kubectl --namespace %s logs deployment/%s --tail=50", p.Namespace, p.Name), "%d of %d pods are ready", ready, len(p.Pods))
	}
	if len(p.Pods) > 0 {
		f.limits(p.Pods[len(p.Pods)-1])
	}
	return f.all
}

// pod examines one pod and reports whether it is ready.
func (f *findings) pod(pod corev1.Pod) (ready bool) {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			ready = c.Status == corev1.ConditionTrue
		}
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			f.add(Failure, "give the cluster room, or change resources, nodeSelector and tolerations", "pod %s is not scheduled: %s", pod.Name, c.Message)
		}
	}
	for _, s := range pod.Status.ContainerStatuses {
		if w := s.State.Waiting; w != nil && w.Reason != "ContainerCreating" {
			f.add(Failure, "kubectl --namespace "+pod.Namespace+" describe pod "+pod.Name, "pod %s: container %s waits: %s: %s", pod.Name, s.Name, w.Reason, w.Message)
		}
		if t := s.LastTerminationState.Terminated; t != nil {
			do := "kubectl --namespace " + pod.Namespace + " logs " + pod.Name + " --previous"
			if t.Reason == "OOMKilled" {
				do = "raise resources.limits.memory; docs/operations/sizing.md says how much a configuration needs"
			}
			f.add(Warning, do, "pod %s: container %s has restarted %d times, the last time after %s with exit code %d", pod.Name, s.Name, s.RestartCount, t.Reason, t.ExitCode)
		}
	}
	return ready
}

// limits examines the memory limit of a pod.
func (f *findings) limits(pod corev1.Pod) {
	for _, c := range pod.Spec.Containers {
		if c.Name != "kong" {
			continue
		}
		if limit, ok := c.Resources.Limits[corev1.ResourceMemory]; ok {
			f.ok("the memory limit is %s", limit.String())
		} else {
			f.add(Warning, "set resources.limits.memory; docs/operations/sizing.md says how much a configuration needs", "the container has no memory limit")
		}
		if limit, ok := c.Resources.Limits[corev1.ResourceCPU]; ok {
			f.add(Warning, "remove resources.limits.cpu: throttled workers delay requests", "the CPU limit is %s", limit.String())
		}
	}
}
