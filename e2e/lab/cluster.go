package lab

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/e2e/kubelet"
	"github.com/kube-sync/kube-sync/e2e/loadbalancer"
)

var shared struct {
	sync.Once
	cp  *ControlPlane
	err error
}

// Shared is the control plane of the test package. The first test that asks starts it, and Main ends it; an existing
// cluster is connected to, and stays.
func Shared(t testing.TB) *ControlPlane {
	t.Helper()
	Require(t)
	if !External() && state.setup.ControlPlane == "" {
		t.Fatal("lab: this package's TestMain builds no control plane")
	}
	// Not the test's context: the control plane outlives the test.
	shared.Do(func() {
		if External() {
			shared.cp, shared.err = connectExternal()
			return
		}
		shared.cp, shared.err = startControlPlane(context.Background())
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	select {
	case <-shared.cp.done:
		t.Fatal(shared.cp.failure())
	default:
	}
	return shared.cp
}

func closeShared() {
	callAtEnd()
	if shared.cp == nil || shared.cp.external() {
		return
	}
	if err := shared.cp.close(); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
	}
}

// Kubelet runs the cluster's pods. The first test that asks starts it; without it pods stay pending. An existing cluster
// has its own kubelets, and nil is returned.
func (cp *ControlPlane) Kubelet(t testing.TB) *kubelet.Kubelet {
	t.Helper()
	if cp.external() {
		return nil
	}
	cp.startKubelet.Do(func() {
		images := map[string]kubelet.Image{}
		for name, path := range state.setup.Programs {
			images[name] = kubelet.Image{Executable: path}
		}
		log, err := os.Create(filepath.Join(cp.Dir, "kubelet.log"))
		if err != nil {
			cp.kubeletErr = fmt.Errorf("make the kubelet's log: %w", err)
			return
		}
		cp.kubelet, cp.kubeletErr = kubelet.Start(context.Background(), kubelet.Options{
			Config:    cp.Config,
			Dir:       filepath.Join(cp.Dir, "kubelet"),
			Bridge:    Bridge,
			HostIP:    HostIP,
			PodCIDR:   PodCIDR,
			APIServer: HostIP + ":" + cp.port(),
			Images:    images,
			Log:       slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
	})
	if cp.kubeletErr != nil {
		t.Fatal(cp.kubeletErr)
	}
	return cp.kubelet
}

// LoadBalancer serves the cluster's Services of type LoadBalancer, at addresses of LoadBalancerCIDR. The first test that
// asks starts it; without it such Services have no address. An existing cluster has its own, or none.
func (cp *ControlPlane) LoadBalancer(t testing.TB) {
	t.Helper()
	if cp.external() {
		return
	}
	cp.startBalancer.Do(func() {
		log, err := os.Create(filepath.Join(cp.Dir, "loadbalancer.log"))
		if err != nil {
			cp.balancerErr = fmt.Errorf("make the load balancer's log: %w", err)
			return
		}
		cp.balancer, cp.balancerErr = loadbalancer.Start(context.Background(), loadbalancer.Options{
			Config: cp.Config,
			Pool:   LoadBalancerCIDR,
			Log:    slog.New(slog.NewTextHandler(log, nil)),
		})
	})
	if cp.balancerErr != nil {
		t.Fatal(cp.balancerErr)
	}
}

// port is the API server's.
func (cp *ControlPlane) port() string {
	server, err := url.Parse(cp.Config.Host)
	if err != nil {
		panic("the kubeconfig's server is no URL: " + err.Error())
	}
	return server.Port()
}

// Namespace makes a namespace with the test's name in it, which goes with the test. Pods can be made in it at once.
func (cp *ControlPlane) Namespace(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	made, err := cp.Client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: namespacePrefix(t.Name())},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("make a Namespace: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := cp.Client.CoreV1().Namespaces().Delete(ctx, made.Name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("delete Namespace %s: %v", made.Name, err)
		}
	})
	Eventually(t, time.Minute, func() error {
		_, err := cp.Client.CoreV1().ServiceAccounts(made.Name).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
	return made.Name
}

func namespacePrefix(test string) string {
	name := []byte(strings.ToLower(test))
	for i, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			name[i] = '-'
		}
	}
	const most = 50 // of 63, as five characters are added
	return strings.Trim(string(name[:min(len(name), most)]), "-") + "-"
}

// slack multiplies the times that tests wait, because other programs may keep the machine busy.
const slack = 5

// Eventually calls the function until it returns nil, and fails the test with its last error if it does not in time:
// within the given time times slack.
func Eventually(t testing.TB, within time.Duration, check func() error) {
	t.Helper()
	within *= slack
	deadline := time.Now().Add(within)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still after %s: %v", within, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
