package kubelet_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	certutil "k8s.io/client-go/util/cert"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

// waitPod waits until the check returns nil for the pod.
func waitPod(t *testing.T, cp *lab.ControlPlane, namespace, name string, check func(*corev1.Pod) error) *corev1.Pod {
	t.Helper()
	var pod *corev1.Pod
	eventually.Nil(t, within, func() (err error) {
		pod, err = cp.Client.CoreV1().Pods(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		return check(pod)
	})
	return pod
}

func isReady(pod *corev1.Pod) error {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			return nil
		}
	}
	status, _ := json.Marshal(pod.Status)
	return fmt.Errorf("pod %s is not ready: %s", pod.Name, status)
}

// The Secret of a certificate may be created after the pod that mounts it.
func TestVolumesAndEnvironment(t *testing.T) {
	cp := lab.Shared(t)
	cp.Kubelet(t)
	namespace := cp.Namespace(t)
	cp.MustApply(t, namespace, `
apiVersion: v1
kind: Pod
metadata: {name: mounted, labels: {tier: back}}
spec:
  containers:
  - name: echo
    image: kube-sync/echo
    env:
    - {name: TIER, valueFrom: {fieldRef: {fieldPath: "metadata.labels['tier']"}}}
    - {name: FROM_SECRET, valueFrom: {secretKeyRef: {name: late, key: word}}}
    - {name: NONE, valueFrom: {configMapKeyRef: {name: none, key: none, optional: true}}}
    - {name: POD_NAME, value: "$(TIER)/$(FROM_SECRET)/$(NONE)"}
    - {name: HTTPS_PORT, value: "8443"}
    - {name: TCP_PORT, value: "9000"}
    - {name: UDP_PORT, value: "9000"}
    - {name: TLS_CERT_FILE, value: /etc/certificate/tls.crt}
    - {name: TLS_KEY_FILE, value: /etc/certificate/tls.key}
    volumeMounts:
    - {name: certificate, mountPath: /etc/certificate, readOnly: true}
    readinessProbe: {tcpSocket: {port: 8443}}
  volumes:
  - {name: certificate, secret: {secretName: late}}
`)
	waitPod(t, cp, namespace, "mounted", func(pod *corev1.Pod) error {
		statuses := pod.Status.ContainerStatuses
		if len(statuses) == 0 || statuses[0].State.Waiting == nil ||
			!strings.Contains(statuses[0].State.Waiting.Message, "Secret late") {
			return fmt.Errorf("container states %v, want one that waits for its Secret", statuses)
		}
		return nil
	})
	makeCertificate(t, cp, namespace, "late", map[string]string{"word": "word"})
	pod := waitPod(t, cp, namespace, "mounted", isReady)
	checkStreams(t, pod.Status.PodIP, "back/word/$(NONE)")
}

func checkStreams(t *testing.T, address, name string) {
	t.Helper()
	for _, network := range []string{"tcp", "udp"} {
		eventually.Nil(t, within, func() error { // the pod is ready when it serves TLS
			conn, err := net.DialTimeout(network, net.JoinHostPort(address, "9000"), time.Second)
			if err != nil {
				return err
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			fmt.Fprintln(conn, "hello")
			answer, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil || answer != name+": hello\n" {
				return fmt.Errorf("over %s: %q, %w", network, answer, err)
			}
			return nil
		})
	}
}

func makeCertificate(t *testing.T, cp *lab.ControlPlane, namespace, name string, more map[string]string) {
	t.Helper()
	cert, key, err := certutil.GenerateSelfSignedCertKey("echo.test", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: more,
		Data: map[string][]byte{corev1.TLSCertKey: cert, corev1.TLSPrivateKeyKey: key},
	}
	if _, err := cp.Client.CoreV1().Secrets(namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestFailedInitContainerFailsThePod(t *testing.T) {
	cp := lab.Shared(t)
	cp.Kubelet(t)
	namespace := cp.Namespace(t)
	cp.MustApply(t, namespace, `
apiVersion: v1
kind: Pod
metadata: {name: failed}
spec:
  initContainers:
  - {name: first, image: kube-sync/echo, env: [{name: TERM_DELAY, value: invalid}]}
  containers: [{name: echo, image: kube-sync/echo}]
  restartPolicy: Never
`)
	waitPod(t, cp, namespace, "failed", func(pod *corev1.Pod) error {
		if pod.Status.Phase != corev1.PodFailed {
			return fmt.Errorf("phase %s, want Failed", pod.Status.Phase)
		}
		return nil
	})
}

// A pod's process reaches the API server as its ServiceAccount, with the credentials in its file system.
func TestInClusterCredentials(t *testing.T) {
	cp := lab.Shared(t)
	cp.Kubelet(t)
	namespace := cp.Namespace(t)
	cp.MustApply(t, namespace, `
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  initContainers: [{name: before, image: kube-sync/client}]
  containers: [{name: client, image: kube-sync/client}]
  restartPolicy: Never
`)
	log := finished(t, cp, namespace, "client", corev1.PodSucceeded)
	if want := "system:serviceaccount:" + namespace + ":default\n"; log != want {
		t.Errorf("the API server authenticates the pod as %q, want %q", log, want)
	}
}

// finished waits for the end of a pod with one container, and returns the container's log.
func finished(t *testing.T, cp *lab.ControlPlane, namespace, name string, phase corev1.PodPhase) string {
	t.Helper()
	pod := waitPod(t, cp, namespace, name, func(pod *corev1.Pod) error {
		if pod.Status.Phase != phase {
			return fmt.Errorf("phase of pod %s is %s, want %s", name, pod.Status.Phase, phase)
		}
		return nil
	})
	options := &corev1.PodLogOptions{Container: pod.Spec.Containers[0].Name}
	log, err := cp.Client.CoreV1().Pods(namespace).GetLogs(name, options).DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(log)
}

// Pods reach each other, and get an error at once when one is gone.
func TestPodNetwork(t *testing.T) {
	cp := lab.Shared(t)
	cp.Kubelet(t)
	namespace := cp.Namespace(t)
	cp.MustApply(t, namespace, deployment)
	address := waitReady(t, cp, namespace, 2)[0]
	client := func(name string) string {
		return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  containers: [{name: client, image: kube-sync/client, env: [{name: URL, value: "http://%s:8080"}]}]
  restartPolicy: Never
`, name, address)
	}
	cp.MustApply(t, namespace, client("before"))
	if log := finished(t, cp, namespace, "before", corev1.PodSucceeded); log != "200 OK\n" {
		t.Errorf("GET from pod to pod: %q", log)
	}
	scale(t, cp, namespace, 0)
	eventually.Nil(t, within, func() error {
		if names := podNames(t, cp, namespace); len(names) > 1 {
			return fmt.Errorf("pods %q are left", names)
		}
		return nil
	})
	cp.MustApply(t, namespace, client("after"))
	if log := finished(t, cp, namespace, "after", corev1.PodFailed); !strings.Contains(log, "no route to host") {
		t.Errorf("GET of a pod that is gone: %q", log)
	}
}

func TestRestartsAndPreviousLog(t *testing.T) {
	cp := lab.Shared(t)
	cp.Kubelet(t)
	namespace := cp.Namespace(t)
	cp.MustApply(t, namespace, `
apiVersion: v1
kind: Pod
metadata: {name: restarted}
spec:
  containers:
  - name: echo
    image: kube-sync/echo
    livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1, failureThreshold: 1}
    env: [{name: TERM_DELAY, value: 10ms}]
`)
	pod := waitPod(t, cp, namespace, "restarted", isReady)
	eventually.Nil(t, within, func() error { _, err := http.Get("http://" + pod.Status.PodIP + ":8080"); return err })
	before := pod.Status.ContainerStatuses[0].RestartCount // a busy machine may start it too late for its probe
	setHealth(t, pod.Status.PodIP, http.StatusInternalServerError)
	waitPod(t, cp, namespace, "restarted", func(pod *corev1.Pod) error {
		status := pod.Status.ContainerStatuses[0]
		if status.RestartCount <= before || !status.Ready || status.LastTerminationState.Terminated == nil {
			return fmt.Errorf("container %+v, want one that was restarted", status)
		}
		return nil
	})
	log, err := cp.Client.CoreV1().Pods(namespace).
		GetLogs("restarted", &corev1.PodLogOptions{Previous: true}).DoRaw(t.Context())
	if err != nil || !strings.Contains(string(log), "terminated") {
		t.Errorf("previous log: %q, %v", log, err)
	}
}

func TestDeletionByForceAndAfterTheGracePeriod(t *testing.T) {
	cp := lab.Shared(t)
	cp.Kubelet(t)
	namespace := cp.Namespace(t)
	for name, grace := range map[string]int64{"forced": 0, "slow": 1} {
		cp.MustApply(t, namespace, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  containers: [{name: echo, image: kube-sync/echo, env: [{name: TERM_DELAY, value: 1h}]}]
`, name))
		pod := waitPod(t, cp, namespace, name, isReady)
		url := "http://" + pod.Status.PodIP + ":8080/healthz"
		eventually.Nil(t, within, func() error { _, err := http.Get(url); return err })
		began := time.Now()
		err := cp.Client.CoreV1().Pods(namespace).Delete(t.Context(), name, metav1.DeleteOptions{GracePeriodSeconds: &grace})
		if err != nil {
			t.Fatal(err)
		}
		eventually.Nil(t, within, func() error {
			if _, err := http.Get(url); err == nil {
				return fmt.Errorf("pod %s still answers", name)
			}
			return nil
		})
		if took := time.Since(began); took < time.Duration(grace)*time.Second {
			t.Errorf("pod %s, of grace period %ds, ended after %s", name, grace, took)
		}
	}
}
