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

	"github.com/kube-sync/kube-sync/e2e/lab"
)

// What kong-conf/install.yaml calls the gateway's Deployment and its namespace.
const (
	installedNamespace = "kong"
	installedName      = "kong"
)

// Addresses at which the installed gateway answers on this machine.
const (
	httpVariable  = "KUBE_SYNC_E2E_HTTP"
	httpsVariable = "KUBE_SYNC_E2E_HTTPS"
)

// A rollout waits for its old pod, which may take all of its terminationGracePeriodSeconds.
const rolloutWithin = 5 * time.Minute

// A rollout is not asked for as often as lab.Eventually would.
const rolloutInterval = 200 * time.Millisecond

// inContainers is why the processes of the installed gateway are left alone.
const inContainers = "does something to the gateway's processes, which are in containers"

// installed is the gateway that an existing cluster has: all tests share it, one after the other.
type installed struct {
	t  testing.TB
	cp *lab.ControlPlane
}

// taken is held by the test that has the installed gateway.
var taken sync.Mutex

// single sees to one replica, for all tests.
var single sync.Once

// prepareInstalled gives the installed gateway the settings of a test. It has its old ones again after it.
func prepareInstalled(t testing.TB, o Options) *Pod {
	t.Helper()
	if !taken.TryLock() {
		t.Fatal("the test has the installed gateway already: call NeedSeveral first")
	}
	t.Cleanup(taken.Unlock)
	g := &installed{t: t, cp: lab.Shared(t)}
	p := &Pod{t: t, HTTP: addressOf(t, httpVariable), HTTPS: addressOf(t, httpsVariable), installed: g}
	single.Do(g.alone)
	g.configure(o)
	t.Cleanup(g.tellLog)
	return p
}

// tellLog shows the end of the log of a test that failed.
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

// alone leaves one replica until the tests end. Of several one is a moment behind the other; a test that has seen its
// change served would meet that one as a failure.
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
			fmt.Fprintln(os.Stderr, "give the gateway its replicas back:", err)
		}
	})
}

// configure changes the Deployment if the settings, or whose account it is, are not what it has.
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
	// A list as a whole, and not a merge of it: the old one then comes back exactly as it was, in its order, and the
	// Deployment goes back to pods of the old kind rather than to a third one.
	const envPath, accountPath = "/spec/template/spec/containers/0/env", "/spec/template/spec/serviceAccountName"
	g.patch(replace(envPath, env), replace(accountPath, account))
	g.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), rolloutWithin)
		defer cancel()
		err := g.tryPatch(ctx, replace(envPath, spec.Containers[0].Env), replace(accountPath, spec.ServiceAccountName))
		if err != nil {
			g.t.Fatalf("give the gateway its settings back: %v", err)
		}
		// Until the test's pod is gone it needs the test's account, to give the Lease back.
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

// operation is one of a JSON patch.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// replace sets a member, which may be missing.
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

// waitReady waits for a rollout.
func (g *installed) waitReady(ctx context.Context) {
	g.t.Helper()
	lab.Eventually(g.t, rolloutWithin, func() error {
		err := g.ready(ctx)
		if err != nil {
			time.Sleep(rolloutInterval)
		}
		return err
	})
}

// ready is nil when all pods are those of the newest settings, and ready. One that is on its way out may still hold
// the Lease and write what it was set to.
func (g *installed) ready(ctx context.Context) error {
	d, pods, err := g.state(ctx)
	if err != nil {
		return err
	}
	s, want := d.Status, *d.Spec.Replicas
	if s.ObservedGeneration < d.Generation || s.UpdatedReplicas != want || s.AvailableReplicas != want ||
		s.Replicas != want || len(pods) != int(want) {
		return fmt.Errorf("of the gateway's pods %d are there, %d of the newest settings and %d available, want %d",
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

// log is that of all pods, one after the other.
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

// describe tells people which gateway it is and where.
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

// gatewayAt asks for a host that there is not: Kong names itself in answers of its own.
func gatewayAt(address string) string {
	request, err := http.NewRequest(http.MethodGet, "http://"+address, nil)
	if err != nil {
		return err.Error()
	}
	request.Host = "version.invalid"
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return "a gateway whose version could not be asked: " + err.Error()
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
