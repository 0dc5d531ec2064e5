package pod

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

// Names of the gateway's Deployment and its namespace in kong-conf/install.yaml.
const (
	installedNamespace = "kong"
	installedName      = "kong"
)

// Variables with the addresses at which this machine reaches the installed gateway.
const (
	httpVariable  = "KUBE_SYNC_E2E_HTTP"
	httpsVariable = "KUBE_SYNC_E2E_HTTPS"
)

// A rollout waits for its old pod, which may use all of its terminationGracePeriodSeconds.
const rolloutWithin = 5 * time.Minute

// rolloutInterval is the pause between two looks at a rollout.
const rolloutInterval = 200 * time.Millisecond

// inContainers is the reason to skip tests of the gateway's processes.
const inContainers = "needs the gateway's processes, which are in containers"

// installed is the gateway of an existing cluster. Tests use it one after the other.
type installed struct {
	t  testing.TB
	cp *lab.ControlPlane
}

// taken is held by the test that uses the installed gateway.
var taken sync.Mutex

// single scales the gateway to one replica, for all tests.
var single sync.Once

// prepareInstalled gives the installed gateway the settings of a test, and restores the old ones after it.
func prepareInstalled(t testing.TB, o Options) *Pod {
	t.Helper()
	if !taken.TryLock() {
		t.Fatal("the test uses the installed gateway already: call NeedSeveral first")
	}
	t.Cleanup(taken.Unlock)
	g := &installed{t: t, cp: lab.Shared(t)}
	p := &Pod{t: t, HTTP: addressOf(t, httpVariable), HTTPS: addressOf(t, httpsVariable), installed: g}
	single.Do(g.alone)
	g.configure(o)
	t.Cleanup(g.tellLog)
	return p
}

// tellLog logs the end of the gateway's log if the test failed.
func (g *installed) tellLog() {
	if !g.t.Failed() {
		return
	}
	log, err := g.log(context.Background())
	g.t.Logf("log of the gateway: %v\n%s", err, last(log))
}

func addressOf(t testing.TB, variable string) string {
	t.Helper()
	address := os.Getenv(variable)
	if address == "" {
		t.Fatalf("%s is not set: it is the address, host:port, of the installed gateway", variable)
	}
	return address
}

// alone scales to one replica until the tests end. One of several may be a moment behind, and a test that has seen its
// change take effect would fail on that.
func (g *installed) alone() {
	d := g.deployment()
	if d.Spec.Replicas != nil && *d.Spec.Replicas == 1 {
		return
	}
	g.patch(replace("/spec/replicas", 1))
	lab.AtEnd(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := g.tryPatch(ctx, replace("/spec/replicas", d.Spec.Replicas)); err != nil {
			fmt.Fprintln(os.Stderr, "restore the gateway's replicas:", err)
		}
	})
}

// configure changes the Deployment if it has other settings or another account.
func (g *installed) configure(o Options) {
	g.t.Helper()
	spec := g.deployment().Spec.Template.Spec
	env := slices.Clone(spec.Containers[0].Env)
	for name, value := range o.Settings {
		variable := corev1.EnvVar{Name: settingPrefix + name, Value: value}
		i := slices.IndexFunc(env, func(e corev1.EnvVar) bool { return e.Name == variable.Name })
		if i < 0 {
			env = append(env, variable)
		} else {
			env[i] = variable
		}
	}
	account := spec.ServiceAccountName
	if o.Credentials.Name != "" {
		account = o.Credentials.Name
	}
	if account == spec.ServiceAccountName && slices.EqualFunc(env, spec.Containers[0].Env, sameVariable) {
		return
	}
	// The patch replaces the list and does not merge it, so that the old list is restored in its order and the Deployment
	// returns to its old ReplicaSet.
	const envPath, accountPath = "/spec/template/spec/containers/0/env", "/spec/template/spec/serviceAccountName"
	g.patch(replace(envPath, env), replace(accountPath, account))
	g.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), rolloutWithin)
		defer cancel()
		err := g.tryPatch(ctx, replace(envPath, spec.Containers[0].Env), replace(accountPath, spec.ServiceAccountName))
		if err != nil {
			g.t.Fatalf("restore the gateway's settings: %v", err)
		}
		// The test's pod needs the test's account to release the Lease.
		g.waitReady(ctx)
	})
}

func sameVariable(a, b corev1.EnvVar) bool {
	return a.Name == b.Name && a.Value == b.Value && (a.ValueFrom == nil) == (b.ValueFrom == nil)
}

func (g *installed) deployment() *appsv1.Deployment {
	g.t.Helper()
	d, err := g.cp.Client.AppsV1().Deployments(installedNamespace).Get(g.t.Context(), installedName, metav1.GetOptions{})
	if err != nil {
		g.t.Fatalf("no gateway is installed in the cluster: %v", err)
	}
	return d
}

// operation is an operation of a JSON patch.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// replace sets a member, which may not exist yet.
func replace(path string, value any) operation { return operation{"add", path, value} }

func (g *installed) patch(operations ...operation) {
	g.t.Helper()
	if err := g.tryPatch(g.t.Context(), operations...); err != nil {
		g.t.Fatalf("change the installed gateway: %v", err)
	}
}

func (g *installed) tryPatch(ctx context.Context, operations ...operation) error {
	patch, err := json.Marshal(operations)
	if err != nil {
		return err
	}
	_, err = g.cp.Client.AppsV1().Deployments(installedNamespace).Patch(
		ctx, installedName, types.JSONPatchType, patch, metav1.PatchOptions{})
	return err
}

// waitReady waits until a rollout is complete.
func (g *installed) waitReady(ctx context.Context) {
	g.t.Helper()
	eventually.Nil(g.t, rolloutWithin, func() error {
		err := g.ready(ctx)
		if err != nil {
			time.Sleep(rolloutInterval)
		}
		return err
	})
}

// ready returns nil when all pods have the newest settings and are ready. A terminating pod may still hold the Lease and
// write statuses by its old settings.
func (g *installed) ready(ctx context.Context) error {
	d, pods, err := g.state(ctx)
	if err != nil {
		return err
	}
	s, want := d.Status, *d.Spec.Replicas
	if s.ObservedGeneration < d.Generation || s.UpdatedReplicas != want || s.AvailableReplicas != want ||
		s.Replicas != want || len(pods) != int(want) {
		return fmt.Errorf("the gateway has %d pods, %d with the newest settings and %d available, want %d",
			len(pods), s.UpdatedReplicas, s.AvailableReplicas, want)
	}
	return nil
}

func (g *installed) state(ctx context.Context) (*appsv1.Deployment, []corev1.Pod, error) {
	d, err := g.cp.Client.AppsV1().Deployments(installedNamespace).Get(ctx, installedName, metav1.GetOptions{})
	if err != nil {
		return nil, nil, err
	}
	pods, err := g.cp.Client.CoreV1().Pods(installedNamespace).List(ctx,
		metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector)})
	if err != nil {
		return nil, nil, err
	}
	return d, pods.Items, nil
}

// log returns the logs of all pods, one after the other.
func (g *installed) log(ctx context.Context) (string, error) {
	_, pods, err := g.state(ctx)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, p := range pods {
		raw, err := g.cp.Client.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
		if err != nil {
			return all.String(), fmt.Errorf("log of pod %s: %w", p.Name, err)
		}
		all.Write(raw)
	}
	return all.String(), nil
}

// describe says for people which gateway it is, and where.
func (g *installed) describe(address string) string {
	cluster, version := "an unnamed cluster", "of an unknown version"
	if config, err := clientcmd.LoadFromFile(g.cp.Kubeconfig); err == nil && config.CurrentContext != "" {
		cluster = "cluster " + config.CurrentContext
	}
	if found, err := g.cp.Client.Discovery().ServerVersion(); err == nil {
		version = "of Kubernetes " + found.GitVersion
	}
	return fmt.Sprintf("%s in %s %s", gatewayAt(address), cluster, version)
}

// gatewayAt requests an unknown host, because Kong names itself in its own answers.
func gatewayAt(address string) string {
	request, err := http.NewRequest(http.MethodGet, "http://"+address, nil)
	if err != nil {
		return err.Error()
	}
	request.Host = "version.invalid"
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return "a gateway of unknown version: " + err.Error()
	}
	_ = answer.Body.Close()
	server := answer.Header.Get("Server")
	if version, ok := strings.CutPrefix(server, "kong/"); ok {
		return "Kong " + version
	}
	if server == "" {
		return "a gateway that does not name itself"
	}
	return "the gateway " + server
}
