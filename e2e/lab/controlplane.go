package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kube-sync/kube-sync/e2e/kubelet"
	"github.com/kube-sync/kube-sync/e2e/loadbalancer"
)

// The components of a control plane.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
)

// commandWithin bounds the time to start or stop a component, and to start a control plane.
const commandWithin = 3 * time.Minute

// A ControlPlane is a running etcd, kube-apiserver and kube-controller-manager. Its clients have all rights.
type ControlPlane struct {
	Dir        string // logs, data and certificates
	Kubeconfig string
	Config     *rest.Config
	Client     kubernetes.Interface
	Dynamic    dynamic.Interface

	// AnyVersion makes Apply and Delete use the API version that is served, if the server does not serve an object's
	// own.
	AnyVersion bool

	mapper *restmapper.DeferredDiscoveryRESTMapper

	process *exec.Cmd
	stdin   io.WriteCloser
	answers chan string   // lines of its standard output; closed at its end
	done    chan struct{} // closed once the process is waited for

	commands sync.Mutex // one command at a time

	startKubelet sync.Once
	kubelet      *kubelet.Kubelet
	kubeletErr   error

	startBalancer sync.Once
	balancer      *loadbalancer.LoadBalancer
	balancerErr   error
}

// StartControlPlane starts a control plane for one test, and ends it after the test. That takes about three seconds;
// tests that neither stop components nor change the whole cluster use Shared. Against an existing cluster the test is
// skipped.
func StartControlPlane(t testing.TB) *ControlPlane {
	t.Helper()
	Require(t)
	if External() {
		Skip(t, "stops the control plane")
	}
	cp, err := startControlPlane(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.close(); err != nil {
			t.Error(err)
		}
	})
	return cp
}

func startControlPlane(ctx context.Context) (*ControlPlane, error) {
	dir, err := os.MkdirTemp(state.setup.Dir, "controlplane-")
	if err != nil {
		return nil, fmt.Errorf("make the control plane's directory: %w", err)
	}
	cp := &ControlPlane{Dir: dir, answers: make(chan string, 16), done: make(chan struct{})}
	if err := cp.run(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	if cp.Kubeconfig, err = cp.answer(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start the control plane: %w", err), cp.close())
	}
	if err := cp.connect(); err != nil {
		return nil, errors.Join(err, cp.close())
	}
	return cp, nil
}

// run starts the process. It ends its components when its standard input is closed, by close or by the end of this
// process.
func (cp *ControlPlane) run() error {
	log, err := os.Create(cp.logFile())
	if err != nil {
		return fmt.Errorf("make the control plane's log: %w", err)
	}
	defer log.Close()
	cp.process = exec.Command(state.setup.ControlPlane,
		"up", "-foreground", "-dir", cp.Dir, "-bind-address", "0.0.0.0", "-advertise-address", HostIP)
	cp.process.Stderr = log
	if cp.stdin, err = cp.process.StdinPipe(); err != nil {
		return fmt.Errorf("make the control plane's standard input: %w", err)
	}
	stdout, err := cp.process.StdoutPipe()
	if err != nil {
		return fmt.Errorf("make the control plane's standard output: %w", err)
	}
	if err := cp.process.Start(); err != nil {
		return fmt.Errorf("start the control plane: %w", err)
	}
	go func() {
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			cp.answers <- lines.Text()
		}
		close(cp.answers)
		_ = cp.process.Wait()
		close(cp.done)
	}()
	return nil
}

func (cp *ControlPlane) connect() (err error) {
	if cp.Config, err = clientcmd.BuildConfigFromFlags("", cp.Kubeconfig); err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	cp.Config.QPS = -1 // tests wait for nothing but the cluster
	client, err := kubernetes.NewForConfig(cp.Config)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	cp.Client = client
	if cp.Dynamic, err = dynamic.NewForConfig(cp.Config); err != nil {
		return fmt.Errorf("make a dynamic client: %w", err)
	}
	cp.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	return nil
}

// StopComponent ends a component by SIGTERM and waits until it has ended.
func (cp *ControlPlane) StopComponent(ctx context.Context, name string) error {
	return cp.command(ctx, "stop "+name)
}

// KillComponent ends a component by SIGKILL.
func (cp *ControlPlane) KillComponent(ctx context.Context, name string) error {
	return cp.command(ctx, "kill "+name)
}

// StartComponent starts a stopped component with its data and on its port, and waits until it is ready.
func (cp *ControlPlane) StartComponent(ctx context.Context, name string) error {
	return cp.command(ctx, "start "+name)
}

func (cp *ControlPlane) command(ctx context.Context, command string) error {
	if cp.external() {
		return fmt.Errorf("%s: %w", command, errExternal)
	}
	cp.commands.Lock()
	defer cp.commands.Unlock()
	ctx, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	if _, err := fmt.Fprintln(cp.stdin, command); err != nil {
		return fmt.Errorf("%s: %w", command, cp.failure())
	}
	for {
		answer, err := cp.answer(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
		if answer == "ok "+command {
			return nil
		}
		if cause, ok := strings.CutPrefix(answer, "error "+command+": "); ok {
			return fmt.Errorf("%s: %s", command, cause)
		}
		// Otherwise it answers a command that has timed out.
	}
}

func (cp *ControlPlane) answer(ctx context.Context) (string, error) {
	select {
	case answer, ok := <-cp.answers:
		if !ok {
			return "", cp.failure()
		}
		return answer, nil
	case <-ctx.Done():
		return "", fmt.Errorf("%w; %s", ctx.Err(), cp.log())
	}
}

// failure returns why the control plane has ended.
func (cp *ControlPlane) failure() error {
	<-cp.done
	return fmt.Errorf("the control plane has ended: %s; %s", cp.process.ProcessState, cp.log())
}

func (cp *ControlPlane) log() string {
	log, _ := os.ReadFile(cp.logFile())
	return "its log: " + strings.TrimSpace(string(log))
}

func (cp *ControlPlane) logFile() string { return filepath.Join(cp.Dir, "up.log") }

// close ends the load balancer, the kubelet with its pods, and then the control plane.
func (cp *ControlPlane) close() error {
	if cp.balancer != nil {
		cp.balancer.Close()
	}
	if cp.kubelet != nil {
		cp.kubelet.Close()
	}
	_ = cp.stdin.Close()
	select {
	case <-cp.done:
	case <-time.After(commandWithin):
		_ = cp.process.Process.Kill()
		<-cp.done
	}
	err := cp.readAudit()
	if !cp.process.ProcessState.Success() {
		return errors.Join(cp.failure(), err)
	}
	return err
}
