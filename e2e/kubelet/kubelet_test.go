package kubelet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

func TestMain(m *testing.M) {
	lab.Main(m, lab.Program{
		Image: "kube-sync/client", Package: "github.com/kube-sync/kube-sync/e2e/kubelet/testdata/client",
	})
}

const within = time.Minute

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo}
spec:
  replicas: 2
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec:
      terminationGracePeriodSeconds: 10
      containers:
      - name: echo
        image: kube-sync/echo:v1
        ports: [{name: http, containerPort: 8080}]
        env:
        - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
        - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: echo}
spec:
  selector: {app: echo}
  ports: [{port: 80, targetPort: http}]
`

// endpoints returns the endpoints in the EndpointSlices of a Service.
type endpoints struct{ ready, terminating []string }

func slicesOf(ctx context.Context, cp *lab.ControlPlane, namespace, service string) (endpoints, error) {
	var found endpoints
	list, err := cp.Client.DiscoveryV1().EndpointSlices(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: discoveryv1.LabelServiceName + "=" + service,
	})
	if err != nil {
		return found, err
	}
	for _, slice := range list.Items {
		for _, endpoint := range slice.Endpoints {
			if c := endpoint.Conditions; c.Ready != nil && *c.Ready {
				found.ready = append(found.ready, endpoint.Addresses...)
			} else if c.Terminating != nil && *c.Terminating && c.Serving != nil && *c.Serving {
				found.terminating = append(found.terminating, endpoint.Addresses...)
			}
		}
	}
	return found, nil
}

// waitReady waits until there are n endpoints, all of them ready.
func waitReady(t *testing.T, cp *lab.ControlPlane, namespace string, n int) []string {
	t.Helper()
	var found endpoints
	eventually.Nil(t, within, func() (err error) {
		found, err = slicesOf(t.Context(), cp, namespace, "echo")
		if err == nil && (len(found.ready) != n || len(found.terminating) > 0) {
			err = fmt.Errorf("endpoints %+v, want %d that are ready", found, n)
		}
		return err
	})
	return found.ready
}

func scale(t *testing.T, cp *lab.ControlPlane, namespace string, replicas int) {
	t.Helper()
	_, err := cp.Client.AppsV1().Deployments(namespace).Patch(t.Context(), "echo", types.MergePatchType,
		fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas), metav1.PatchOptions{}, "scale")
	if err != nil {
		t.Fatal(err)
	}
}

// ask returns the name of the pod that answers at the address.
func ask(address string) (string, error) {
	response, err := http.Get("http://" + address + ":8080/some/path?a=b")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct{ Pod, IP, Path, Query string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", err
	}
	if answer.IP != address || answer.Path != "/some/path" || answer.Query != "a=b" {
		return "", fmt.Errorf("answer %+v", answer)
	}
	return answer.Pod, nil
}

func podNames(t *testing.T, cp *lab.ControlPlane, namespace string) []string {
	t.Helper()
	pods, err := cp.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, pod := range pods.Items {
		names = append(names, pod.Name)
	}
	slices.Sort(names)
	return names
}

func TestDeployment(t *testing.T) {
	cp := lab.Shared(t)
	cp.Kubelet(t)
	namespace := cp.Namespace(t)
	began := time.Now()
	cp.MustApply(t, namespace, deployment)
	addresses := waitReady(t, cp, namespace, 2)
	t.Logf("2 pods are endpoints after %s", time.Since(began).Round(time.Millisecond))

	var names []string
	for _, address := range addresses {
		name, err := ask(address)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if want := podNames(t, cp, namespace); !slices.Equal(names, want) {
		t.Errorf("pods %q answer, want %q", names, want)
	}
	log, err := cp.Client.CoreV1().Pods(namespace).GetLogs(names[0], &corev1.PodLogOptions{}).DoRaw(t.Context())
	if err != nil || !strings.Contains(string(log), "path=/some/path") {
		t.Errorf("log of pod %s: %q, %v", names[0], log, err)
	}
	scale(t, cp, namespace, 3)
	waitReady(t, cp, namespace, 3)
	scale(t, cp, namespace, 1)
	watchTermination(t, cp, namespace)
	waitReady(t, cp, namespace, 1)
	eventually.Nil(t, within, func() error {
		if names := podNames(t, cp, namespace); len(names) != 1 {
			return fmt.Errorf("pods %q, want one", names)
		}
		return nil
	})
}

// watchTermination waits until two of three pods are terminating endpoints, checks that they still answer, and waits until
// they are gone.
func watchTermination(t *testing.T, cp *lab.ControlPlane, namespace string) {
	t.Helper()
	var terminating []string
	eventually.Nil(t, within, func() error {
		found, err := slicesOf(t.Context(), cp, namespace, "echo")
		if terminating = found.terminating; err == nil && (len(terminating) != 2 || len(found.ready) != 1) {
			err = fmt.Errorf("endpoints %+v, want two terminating", found)
		}
		return err
	})
	for _, address := range terminating {
		if _, err := ask(address); err != nil {
			t.Errorf("a terminating pod does not answer: %v", err)
		}
	}
	eventually.Nil(t, within, func() error {
		for _, address := range terminating {
			if name, err := ask(address); err == nil {
				return fmt.Errorf("pod %s still answers", name)
			}
		}
		return nil
	})
}

func TestReadinessFollowsTheProbe(t *testing.T) {
	cp := lab.Shared(t)
	cp.Kubelet(t)
	namespace := cp.Namespace(t)
	cp.MustApply(t, namespace, deployment)
	addresses := waitReady(t, cp, namespace, 2)
	setHealth(t, addresses[0], http.StatusServiceUnavailable)
	if left := waitReady(t, cp, namespace, 1); left[0] != addresses[1] {
		t.Errorf("ready is %q, want %q", left, addresses[1])
	}
	setHealth(t, addresses[0], http.StatusOK)
	waitReady(t, cp, namespace, 2)
}

func setHealth(t *testing.T, address string, status int) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPut, fmt.Sprintf("http://%s:8080/healthz?status=%d", address, status), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
}

func TestAPIServerRestart(t *testing.T) {
	cp := lab.StartControlPlane(t)
	if _, err := cp.Client.CoreV1().Nodes().Get(t.Context(), "e2e", metav1.GetOptions{}); err == nil {
		t.Fatal("there is a node before the kubelet")
	}
	cp.Kubelet(t)
	namespace := cp.Namespace(t)
	cp.MustApply(t, namespace, deployment)
	addresses := waitReady(t, cp, namespace, 2)
	ctx, cancel := context.WithTimeout(t.Context(), 2*within)
	defer cancel()
	if err := cp.KillComponent(ctx, lab.APIServer); err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		if _, err := ask(address); err != nil {
			t.Errorf("while the API server is gone: %v", err)
		}
	}
	if err := cp.StartComponent(ctx, lab.APIServer); err != nil {
		t.Fatal(err)
	}
	scale(t, cp, namespace, 3)
	waitReady(t, cp, namespace, 3)
	scale(t, cp, namespace, 0)
	eventually.Nil(t, within, func() error {
		if names := podNames(t, cp, namespace); len(names) > 0 {
			return fmt.Errorf("pods %q are left", names)
		}
		return nil
	})
}
