package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// report writes each change of the status, until the context ends.
func (p *pod) report(ctx context.Context) {
	for {
		// If a status is rejected for good, the pod does not exist any more, and the event of that is on its way.
		_ = p.kubelet.insist(ctx, "write the status", p.log, p.writeStatus)
		select {
		case <-p.changed:
		case <-ctx.Done():
			return
		}
	}
}

func (p *pod) writeStatus(ctx context.Context) error {
	p.mu.Lock()
	status := p.status()
	same := p.written != nil && equality.Semantic.DeepEqual(*p.written, status)
	p.mu.Unlock()
	if same {
		return nil
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": p.bound.UID}, // not another pod of this name
		"status":   status,
	})
	if err != nil {
		return fmt.Errorf("encode the status: %w", err)
	}
	_, err = p.kubelet.client.CoreV1().Pods(p.bound.Namespace).Patch(
		ctx, p.bound.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.written = &status
	p.mu.Unlock()
	return nil
}

// status returns the status. The caller holds the lock.
func (p *pod) status() corev1.PodStatus {
	started := p.started
	status := corev1.PodStatus{
		Phase: p.phase(), StartTime: &started, QOSClass: p.object.Status.QOSClass,
		HostIP: p.kubelet.options.HostIP, HostIPs: []corev1.HostIP{{IP: p.kubelet.options.HostIP}},
	}
	if p.network != nil {
		status.PodIP = p.network.address.String()
		status.PodIPs = []corev1.PodIP{{IP: status.PodIP}}
	}
	for _, c := range p.init {
		status.InitContainerStatuses = append(status.InitContainerStatuses, c.currentStatus())
	}
	unready := []string{}
	for _, c := range p.main {
		current := c.currentStatus()
		status.ContainerStatuses = append(status.ContainerStatuses, current)
		if !current.Ready {
			unready = append(unready, c.spec.Name)
		}
	}
	p.setConditions(&status, unready)
	return status
}

func (c *container) currentStatus() corev1.ContainerStatus {
	status := *c.status.DeepCopy()
	if status.State == (corev1.ContainerState{}) {
		w := c.pod.waiting
		if !c.init && !c.pod.initialized && len(c.pod.init) > 0 {
			w = waiting{reason: "PodInitializing"}
		}
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: w.reason, Message: w.message}
	}
	return status
}

func (p *pod) phase() corev1.PodPhase {
	deleted := p.object.DeletionTimestamp != nil
	final := func(c *container) (ended, failed bool) {
		t := c.status.State.Terminated
		if t == nil {
			return false, false
		}
		return deleted || !c.restarts(t.ExitCode == 0), t.ExitCode != 0
	}
	for _, c := range p.init {
		if ended, failed := final(c); ended && failed {
			return corev1.PodFailed
		}
	}
	if !p.initialized {
		return corev1.PodPending
	}
	phase := corev1.PodSucceeded
	for _, c := range p.main {
		if c.process == nil {
			return corev1.PodPending
		}
		ended, failed := final(c)
		switch {
		case !ended:
			return corev1.PodRunning
		case failed:
			phase = corev1.PodFailed
		}
	}
	return phase
}

func (p *pod) setConditions(status *corev1.PodStatus, unready []string) {
	reason, message := "", ""
	switch {
	case status.Phase == corev1.PodSucceeded:
		unready, reason = append(unready, ""), "PodCompleted"
	case status.Phase == corev1.PodFailed:
		unready, reason = append(unready, ""), "PodFailed"
	case len(unready) > 0:
		reason, message = "ContainersNotReady", "containers with unready status: ["+strings.Join(unready, " ")+"]"
	}
	p.setCondition(status, corev1.PodInitialized, p.initialized, "", "")
	p.setCondition(status, corev1.ContainersReady, len(unready) == 0, reason, message)
	ready := len(unready) == 0
	for _, gate := range p.bound.Spec.ReadinessGates {
		if ready && !conditionTrue(p.object.Status.Conditions, gate.ConditionType) {
			ready, reason, message = false, "ReadinessGatesNotReady", string(gate.ConditionType)+" is not true"
		}
	}
	p.setCondition(status, corev1.PodReady, ready, reason, message)
}

// setCondition keeps the time of the last transition.
func (p *pod) setCondition(
	status *corev1.PodStatus, kind corev1.PodConditionType, is bool, reason, message string,
) {
	condition := corev1.PodCondition{
		Type: kind, Status: corev1.ConditionFalse, Reason: reason, Message: message, LastTransitionTime: metav1.Now(),
	}
	if is {
		condition.Status = corev1.ConditionTrue
	}
	if p.written != nil {
		for _, before := range p.written.Conditions {
			if before.Type == kind && before.Status == condition.Status {
				condition.LastTransitionTime = before.LastTransitionTime
			}
		}
	}
	status.Conditions = append(status.Conditions, condition)
}

func conditionTrue(conditions []corev1.PodCondition, kind corev1.PodConditionType) bool {
	for _, condition := range conditions {
		if condition.Type == kind {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
