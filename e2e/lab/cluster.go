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

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/kubelet"
	"github.com/kube-sync/kube-sync/e2e/loadbalancer"
)

var shared struct {
	sync.Once
	cp  *ControlPlane
	err error
}

// Shared returns the control plane of the test package. The first call starts it, and Main ends it. An existing cluster
// is neither started nor ended.
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

// Kubelet returns the kubelet that runs the cluster's pods. The first call starts it; before, pods stay pending. An
// existing cluster has its own kubelets, and Kubelet returns nil.
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

// LoadBalancer starts the load balancer of the cluster's Services of type LoadBalancer, unless it runs. Their addresses
// are of LoadBalancerCIDR. In an existing cluster it does nothing.
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

// port returns the API server's port.
func (cp *ControlPlane) port() string {
	server, err := url.Parse(cp.Config.Host)
	if err != nil {
		panic("the kubeconfig's server is not a URL: " + err.Error())
	}
	return server.Port()
}

// Namespace creates a namespace that has the test's name in its own, and deletes it after the test. Pods can be created
// in it at once.
func (cp *ControlPlane) Namespace(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	made, err := cp.Client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: namespacePrefix(t.Name())},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("create a Namespace: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := cp.Client.CoreV1().Namespaces().Delete(ctx, made.Name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("delete Namespace %s: %v", made.Name, err)
		}
	})
	eventually.Nil(t, time.Minute, func() error {
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
