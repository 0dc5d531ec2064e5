package e2e

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/kubelet"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/lab/summary"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// shell is the shell of the gateway's image.
var shell = lab.Program{Image: "kube-sync/sh", Package: "github.com/kube-sync/kube-sync/e2e/pod/testdata/sh"}

// The tests that TestOnAnExistingCluster runs: some for each use of an installed gateway,
// and some that are skipped with one.
var (
	onExisting  = []string{"TestTLSSecretRotates", "TestStatusFromService", "TestNamespacedInstall"}
	notExisting = []string{"TestStatusIsWrittenByOne", "TestKubeSyncKilled", "TestAPIServerKilled"}
)

// These tests run against an existing cluster, as with make e2e-kind, and restore the
// gateway. The cluster is the lab's, so that no Docker is needed. Its install.yaml has the
// stand-in as the image, and the test reaches the gateway's Service from outside.
func TestOnAnExistingCluster(t *testing.T) {
	lab.Require(t)
	if lab.External() {
		t.Skip("this is such a cluster")
	}
	image := gatewayImage(t)
	cp := lab.StartControlPlane(t)
	cp.Kubelet(t).AddImage("kong-kube-sync", kubelet.Image{Executable: image, Path: "/"})
	install(t, cp)
	before := installed(t, cp).Spec
	notes := filepath.Join(t.TempDir(), "summary")

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), self, "-test.v", "-test.count=1", "-test.timeout=10m",
		"-test.run", "^("+strings.Join(append(onExisting, notExisting...), "|")+")$")
	run.Env = append(os.Environ(), "KUBE_SYNC_E2E_TARGET=kind", "KUBECONFIG="+cp.Kubeconfig, summary.Variable+"="+notes,
		"KUBE_SYNC_E2E_HTTP="+nodePort(t, cp, "proxy"), "KUBE_SYNC_E2E_HTTPS="+nodePort(t, cp, "proxy-tls"))
	out, err := run.CombinedOutput()
	if err != nil {
		t.Errorf("on an existing cluster: %v", err)
	}
	t.Logf("on an existing cluster:\n%s", out)
	for outcome, tests := range map[string][]string{"PASS": onExisting, "SKIP": notExisting} {
		for _, test := range tests {
			if !strings.Contains(string(out), "--- "+outcome+": "+test+" ") {
				t.Errorf("%s: want %s", test, outcome)
			}
		}
	}

	written, err := os.ReadFile(notes)
	if err != nil {
		t.Fatal(err)
	}
	told := summary.Of(string(written))
	t.Log(told)
	for _, part := range append(notExisting, "cluster e2e of Kubernetes v", "in containers") {
		if !strings.Contains(told, part) {
			t.Errorf("the summary does not tell of %q", part)
		}
	}
	if diff := cmp.Diff(before, installed(t, cp).Spec); diff != "" {
		t.Errorf("the Deployment is another one after the tests:\n%s", diff)
	}
}

// gatewayImage creates the root file system of an image like that of docker/Dockerfile,
// with the stand-in in place of Kong.
func gatewayImage(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for path, source := range map[string]string{
		"usr/local/bin/kong":      lab.Executable(t, pod.StandIn),
		"usr/local/bin/kube-sync": lab.Executable(t, pod.KubeSync),
		"bin/sh":                  lab.Executable(t, shell.Image),
		"etc/kong/kong.conf":      "../kong-conf/kong.conf",
	} {
		data, err := os.ReadFile(source)
		path = filepath.Join(root, path)
		err = errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o755))
		if err = errors.Join(err, os.WriteFile(path, data, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// install applies install.yaml. The lab's cluster has no DNS and no cluster IPs, so
// kube-sync gets the API server's address. The image has no entrypoint.
func install(t *testing.T, cp *lab.ControlPlane) {
	t.Helper()
	manifests, err := os.ReadFile("../kong-conf/install.yaml")
	if err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(cp.Config.Host)
	if err != nil {
		t.Fatal(err)
	}
	const image, env = "        image: kong-kube-sync:dev\n", "        env:\n"
	cp.MustApply(t, "", strings.NewReplacer(
		image, image+"        command: [/bin/sh, -c, exec /usr/local/bin/kong -c /etc/kong/kong.conf]\n",
		env, env+"        - name: KONG_PLUGINSERVER_KUBE_SYNC_APISERVER_HOST\n"+
			"          value: https://"+net.JoinHostPort(lab.HostIP, server.Port())+"\n",
	).Replace(string(manifests)))
	eventually.Nil(t, 2*time.Minute, func() error {
		d := installed(t, cp)
		if d.Status.ObservedGeneration < d.Generation || d.Status.AvailableReplicas != *d.Spec.Replicas {
			return fmt.Errorf("%d of the gateway's pods are available, want %d", d.Status.AvailableReplicas, *d.Spec.Replicas)
		}
		return nil
	})
}

func installed(t *testing.T, cp *lab.ControlPlane) *appsv1.Deployment {
	t.Helper()
	d, err := cp.Client.AppsV1().Deployments(gatewayNamespace).Get(t.Context(), "kong", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// nodePort stands in for kube-proxy: connections to the address that it returns go to a
// ready pod of the gateway's Service.
func nodePort(t *testing.T, cp *lab.ControlPlane, port string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				address, err := endpoint(t, cp, port)
				if err != nil {
					return // the client sees a closed connection
				}
				connect(client, address)
			}()
		}
	}()
	return listener.Addr().String()
}

func endpoint(t *testing.T, cp *lab.ControlPlane, port string) (string, error) {
	slices, err := cp.Client.DiscoveryV1().EndpointSlices(gatewayNamespace).List(t.Context(),
		metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=kong-proxy"})
	if err != nil {
		return "", err
	}
	var found []string
	for _, slice := range slices.Items {
		for _, p := range slice.Ports {
			for _, e := range slice.Endpoints {
				if *p.Name == port && *e.Conditions.Ready {
					found = append(found, net.JoinHostPort(e.Addresses[0], strconv.Itoa(int(*p.Port))))
				}
			}
		}
	}
	if len(found) == 0 {
		return "", errors.New("no endpoint is ready")
	}
	return found[rand.IntN(len(found))], nil
}

// connect forwards both directions until one of them has ended.
func connect(client net.Conn, address string) {
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{}, 2)
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		done <- struct{}{}
	}
	go pass(server, client)
	go pass(client, server)
	<-done
}
