package kubelet

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// retryInterval is the pause before a request to the API server, or the search for a missing object, is repeated.
const retryInterval = 200 * time.Millisecond

// Options configure a Kubelet. All but NodeName and Log are required.
type Options struct {
	Config    *rest.Config // with all rights
	NodeName  string       // "e2e" by default
	Dir       string       // for pods' files and, in logs, their output
	Bridge    string       // the device that pods are connected to
	HostIP    string       // the bridge's address: the node's own, and the pods' gateway
	PodCIDR   netip.Prefix
	APIServer string           // host:port as pods reach it
	Images    map[string]Image // by name, with or without a tag
	Log       *slog.Logger
}

// An Image is the executable of a container and its surroundings.
type Image struct {
	Executable string // its path on this machine
	Path       string // its path in the container, "/" and its name by default; it runs if the container has no command
	// Files are further files and directories of this machine, by their paths in the container, where they are read-only.
	// Programs that are more than one static executable need them.
	Files map[string]string
	// Env are variables that the container has unless its spec sets them.
	Env map[string]string
}

// A Kubelet is a running node.
type Kubelet struct {
	options Options
	client  kubernetes.Interface
	log     *slog.Logger
	network *network
	server  *http.Server

	ctx    context.Context // until Close
	cancel context.CancelFunc
	work   sync.WaitGroup // pods, bindings and the informer

	mu      sync.Mutex
	images  map[string]Image
	pods    map[types.UID]*pod
	binding map[types.UID]bool
}

// Start registers the node and returns once it accepts pods. Close ends it. The context is for the start only.
func Start(ctx context.Context, options Options) (*Kubelet, error) {
	if options.NodeName == "" {
		options.NodeName = "e2e"
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	client, err := kubernetes.NewForConfig(options.Config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	k := &Kubelet{
		options: options, client: client, log: options.Log.With("node", options.NodeName),
		images: map[string]Image{}, pods: map[types.UID]*pod{}, binding: map[types.UID]bool{},
	}
	for name, image := range options.Images {
		k.AddImage(name, image)
	}
	for _, dir := range []string{k.podsDir(), k.logsDir()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("make the kubelet's directories: %w", err)
		}
	}
	if k.network, err = newNetwork(options.Bridge, options.HostIP, options.PodCIDR); err != nil {
		return nil, err
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	if err := k.start(ctx); err != nil {
		k.Close()
		return nil, err
	}
	return k, nil
}

func (k *Kubelet) start(ctx context.Context) error {
	port, err := k.serve()
	if err != nil {
		return err
	}
	if err := k.registerNode(ctx, port); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(k.client, 0)
	pods := factory.Core().V1().Pods().Informer()
	registration, err := pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { k.observe(object.(*corev1.Pod)) },
		UpdateFunc: func(_, object any) { k.observe(object.(*corev1.Pod)) },
		DeleteFunc: func(object any) {
			if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = unknown.Obj
			}
			k.vanished(object.(*corev1.Pod).UID)
		},
	})
	if err != nil {
		return fmt.Errorf("watch pods: %w", err)
	}
	k.work.Go(func() { pods.RunWithContext(k.ctx) })
	if !cache.WaitForCacheSync(ctx.Done(), registration.HasSynced) {
		return fmt.Errorf("wait for the list of pods: %w", ctx.Err())
	}
	return nil
}

// Close kills the pods without telling the API server, and returns once none of their processes runs.
func (k *Kubelet) Close() {
	k.cancel()
	k.work.Wait()
	if k.server != nil {
		_ = k.server.Close()
	}
}

// AddImage adds an image, or replaces it for containers that start later.
func (k *Kubelet) AddImage(name string, image Image) {
	if image.Path == "" {
		image.Path = "/" + filepath.Base(image.Executable)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.images[name] = image
}

// observe handles every new state of every pod in the cluster.
func (k *Kubelet) observe(object *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ctx.Err() != nil {
		return
	}
	uid := object.UID
	switch known := k.pods[uid]; {
	case known != nil:
		known.update(object)
	case object.Spec.NodeName == k.options.NodeName:
		made := newPod(k, object)
		k.pods[uid] = made
		k.work.Go(func() {
			made.run(k.ctx)
			k.mu.Lock()
			defer k.mu.Unlock()
			delete(k.pods, uid)
		})
	case object.Spec.NodeName == "" && len(object.Spec.SchedulingGates) == 0 && !k.binding[uid]:
		k.binding[uid] = true
		k.work.Go(func() {
			k.bind(object)
			k.mu.Lock()
			defer k.mu.Unlock()
			delete(k.binding, uid)
		})
	}
}

// vanished handles the end of a pod's object.
func (k *Kubelet) vanished(uid types.UID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if known := k.pods[uid]; known != nil {
		known.vanish()
	}
}

// bind binds a pod to the node, in place of the scheduler.
func (k *Kubelet) bind(object *corev1.Pod) {
	binding := &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: object.Namespace, Name: object.Name, UID: object.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: k.options.NodeName},
	}
	_ = k.insist(k.ctx, "bind the pod", podLogger(k.log, object), func(ctx context.Context) error {
		err := k.client.CoreV1().Pods(object.Namespace).Bind(ctx, binding, metav1.CreateOptions{})
		if apierrors.IsConflict(err) {
			return nil // it is bound, or another pod has its name
		}
		return err
	})
}

// insist repeats a request until the API server has accepted it or rejects it for good, or the context ends. Only Close
// cancels a request that is under way.
func (k *Kubelet) insist(
	ctx context.Context, what string, log *slog.Logger, request func(context.Context) error,
) error {
	for {
		err := request(k.ctx)
		switch {
		case err == nil:
			return nil
		case apierrors.IsNotFound(err), apierrors.IsInvalid(err), ctx.Err() != nil:
			log.Debug("given up", "what", what, "error", err)
			return fmt.Errorf("%s: %w", what, err)
		}
		log.Info("tried again soon", "what", what, "error", err)
		if !sleep(ctx, retryInterval) {
			return fmt.Errorf("%s: %w", what, ctx.Err())
		}
	}
}

// sleep returns false if the context ends first.
func sleep(ctx context.Context, duration time.Duration) bool {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (k *Kubelet) podsDir() string { return filepath.Join(k.options.Dir, "pods") }
func (k *Kubelet) logsDir() string { return filepath.Join(k.options.Dir, "logs") }

func (k *Kubelet) apiServer() (host, port string) {
	host, port, err := net.SplitHostPort(k.options.APIServer)
	if err != nil {
		return k.options.APIServer, "443"
	}
	return host, port
}

func podLogger(log *slog.Logger, object *corev1.Pod) *slog.Logger {
	return log.With("pod", object.Namespace+"/"+object.Name)
}
