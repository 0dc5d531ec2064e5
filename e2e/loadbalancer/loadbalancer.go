package loadbalancer

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

// Options configure a LoadBalancer. All but Log are required.
type Options struct {
	Config *rest.Config // an administrator's
	Pool   netip.Prefix // of addresses that this process can listen on
	Log    *slog.Logger
}

// A LoadBalancer serves all Services of type LoadBalancer in a cluster.
type LoadBalancer struct {
	client   kubernetes.Interface
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
	queue    workqueue.TypedRateLimitingInterface[cache.ObjectName]
	events   record.EventRecorder
	log      *slog.Logger

	// Only the goroutine that reads the queue uses these.
	pool   *pool
	served map[cache.ObjectName]*service

	cancel context.CancelFunc
	work   sync.WaitGroup
}

// Start starts a load balancer and returns once it has handled all existing Services. Close ends it. The context is for
// the start only.
func Start(ctx context.Context, options Options) (*LoadBalancer, error) {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	client, err := kubernetes.NewForConfig(options.Config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	running, cancel := context.WithCancel(context.Background())
	b := &LoadBalancer{
		client: client, log: options.Log, cancel: cancel,
		pool: newPool(options.Pool), served: map[cache.ObjectName]*service{},
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName]()),
	}
	broadcaster := record.NewBroadcaster(record.WithContext(running))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	b.events = broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "e2e-load-balancer"})
	if err := b.watch(ctx, running); err != nil {
		b.Close()
		return nil, err
	}
	b.work.Go(func() {
		for b.next(running) {
		}
		for name := range b.served {
			b.release(name)
		}
	})
	return b, nil
}

func (b *LoadBalancer) watch(ctx, running context.Context) error {
	factory := informers.NewSharedInformerFactory(b.client, 0)
	services, slices := factory.Core().V1().Services(), factory.Discovery().V1().EndpointSlices()
	b.services, b.slices = services.Lister(), slices.Lister()
	for _, watched := range []struct {
		informer cache.SharedIndexInformer
		name     func(metav1.Object) string // of the Service that the object is, or is about
	}{
		{services.Informer(), metav1.Object.GetName},
		{slices.Informer(), func(slice metav1.Object) string { return slice.GetLabels()[discoveryv1.LabelServiceName] }},
	} {
		enqueue := func(object any) {
			if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = unknown.Obj
			}
			o := object.(metav1.Object)
			b.queue.Add(cache.NewObjectName(o.GetNamespace(), watched.name(o)))
		}
		_, err := watched.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: enqueue, UpdateFunc: func(_, object any) { enqueue(object) }, DeleteFunc: enqueue,
		})
		if err != nil {
			return fmt.Errorf("watch Services and EndpointSlices: %w", err)
		}
	}
	factory.StartWithContext(running)
	b.work.Go(factory.Shutdown)
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("wait for the list of %s: %w", kind, ctx.Err())
		}
	}
	return nil
}

// next handles a Service in its current state. It returns false when the balancer is closed.
func (b *LoadBalancer) next(ctx context.Context) bool {
	name, closed := b.queue.Get()
	if closed {
		return false
	}
	defer b.queue.Done(name)
	if err := b.serve(ctx, name); err != nil {
		b.log.Warn("tried again soon", "service", name.String(), "error", err)
		b.queue.AddRateLimited(name)
		return true
	}
	b.queue.Forget(name)
	return true
}

// Close closes all ports. Connections go on.
func (b *LoadBalancer) Close() {
	b.cancel()
	b.queue.ShutDown()
	b.work.Wait()
}
