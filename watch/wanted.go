package watch

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// fetchers is how many objects are fetched at a time.
const fetchers = 4

// wanted fetches the wanted objects of kinds that are watched as metadata alone:
// once, and again whenever the metadata tells of a newer version.
type wanted struct {
	cluster *Cluster
	work    workqueue.TypedRateLimitingInterface[unit.Key]

	mu      sync.Mutex
	objects map[unit.Key]*want
}

// want is one wanted object.
type want struct {
	// version of what was delivered; empty if that is nothing.
	version string
}

func newWanted(c *Cluster) *wanted {
	return &wanted{
		cluster: c,
		objects: map[unit.Key]*want{},
		work:    newFairQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[unit.Key](100*time.Millisecond, 30*time.Second)),
	}
}

// set replaces the wanted keys. What isn't wanted any more is withdrawn.
func (w *wanted) set(keys []unit.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	still := make(map[unit.Key]*want, len(keys))
	for _, key := range keys {
		still[key] = w.objects[key]
		if still[key] == nil {
			still[key] = &want{}
			w.cluster.expect(key)
			w.work.Add(key)
		}
	}
	for key, old := range w.objects {
		if still[key] != nil {
			continue
		}
		if old.version != "" {
			w.cluster.put(key, nil)
		}
		w.cluster.arrived(key)
	}
	w.objects = still
}

// changed tells that the object's metadata is another, or gone.
func (w *wanted) changed(key unit.Key) {
	if w.get(key) != nil {
		w.work.Add(key)
	}
}

func (w *wanted) get(key unit.Key) *want {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.objects[key]
}

// run fetches until the context ends.
func (w *wanted) run(ctx context.Context) {
	var workers sync.WaitGroup
	if w.synced(ctx) {
		for range fetchers {
			workers.Go(func() {
				for w.next(ctx) {
				}
			})
		}
	}
	<-ctx.Done()
	w.work.ShutDown()
	workers.Wait()
}

// synced waits for the metadata, without which we can't tell an object that
// doesn't exist from one that we haven't heard of.
func (w *wanted) synced(ctx context.Context) bool {
	var checkers []cache.DoneChecker
	w.cluster.mu.RLock()
	for name, informers := range w.cluster.informers {
		for _, informer := range informers {
			if w.cluster.kinds[name].Fetch != nil {
				checkers = append(checkers, informer.handler.HasSyncedChecker())
			}
		}
	}
	w.cluster.mu.RUnlock()
	return cache.WaitFor(ctx, "", checkers...)
}

func (w *wanted) next(ctx context.Context) bool {
	key, shutdown := w.work.Get()
	if shutdown {
		return false
	}
	defer w.work.Done(key)
	if err := w.fetch(ctx, key); err != nil && ctx.Err() == nil {
		w.cluster.failed(key.String(), err)
		w.work.AddRateLimited(key)
		return true
	}
	w.work.Forget(key)
	return true
}

// fetch delivers the object as it is by now.
func (w *wanted) fetch(ctx context.Context, key unit.Key) error {
	want := w.get(key)
	if want == nil {
		return nil
	}
	metadata := w.cluster.Get(key)
	if metadata == nil {
		w.deliver(key, want, nil)
		return nil
	}
	if w.delivered(want) == metadata.GetResourceVersion() {
		return nil
	}
	kind := w.cluster.kinds[key.Kind]
	object, err := kind.Fetch(ctx, w.cluster.clients.core, key.Namespace, key.Name)
	switch {
	case apierrors.IsNotFound(err):
		object = nil
	case apierrors.IsForbidden(err):
		// What we may not read must not hold up the rest.
		w.cluster.arrived(key)
		return err
	case err != nil:
		return err
	default:
		kind.strip(object)
	}
	w.deliver(key, want, object)
	return nil
}

func (w *wanted) delivered(want *want) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return want.version
}

// deliver hands on what was fetched for a want, unless that has ended.
func (w *wanted) deliver(key unit.Key, want *want, object unit.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.objects[key] != want {
		return
	}
	version := ""
	if object != nil {
		version = object.GetResourceVersion()
	}
	if version != want.version {
		want.version = version
		w.cluster.put(key, object)
	}
	w.cluster.arrived(key)
}
