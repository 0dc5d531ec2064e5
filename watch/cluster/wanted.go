package cluster

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
)

// fetchers is how many objects are fetched at once.
const fetchers = 4

// wanted fetches the wanted Secrets and ConfigMaps, of which only the metadata is watched. It
// fetches each once, and again when the metadata has a newer version.
type wanted struct {
	changes *watch.Queue
	caches  *caches
	core    kubernetes.Interface
	contact *contact
	work    watch.FairQueue

	mu      sync.Mutex
	objects map[unit.Key]*want
}

// want is one wanted object.
type want struct {
	// version is the version of the delivered object; empty if none was delivered.
	version string
}

func newWanted(changes *watch.Queue, caches *caches, core kubernetes.Interface, contact *contact) *wanted {
	return &wanted{
		changes: changes,
		caches:  caches,
		core:    core,
		contact: contact,
		objects: map[unit.Key]*want{},
		work:    watch.NewFairQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[unit.Key](100*time.Millisecond, 30*time.Second)),
	}
}

// set replaces the wanted keys. Objects that are no longer wanted are delivered as gone.
func (w *wanted) set(keys []unit.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	still := make(map[unit.Key]*want, len(keys))
	for _, key := range keys {
		still[key] = w.objects[key]
		if still[key] == nil {
			still[key] = &want{}
			w.changes.Expect(key)
			w.work.Add(key)
		}
	}
	for key, old := range w.objects {
		if still[key] != nil {
			continue
		}
		if old.version != "" {
			w.changes.Put(key, nil)
		}
		w.changes.Arrived(key)
	}
	w.objects = still
}

// changed fetches an object again if it is wanted. The object's metadata has changed or is gone.
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
	// Without the metadata an object that does not exist looks like one that is not listed yet.
	if cache.WaitFor(ctx, "", w.caches.metadataListed()...) {
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

func (w *wanted) next(ctx context.Context) bool {
	key, shutdown := w.work.Get()
	if shutdown {
		return false
	}
	defer w.work.Done(key)
	if err := w.fetch(ctx, key); err != nil && ctx.Err() == nil {
		w.contact.failed(key.String(), err)
		w.work.AddRateLimited(key)
		return true
	}
	w.work.Forget(key)
	return true
}

// fetch delivers the current state of an object.
func (w *wanted) fetch(ctx context.Context, key unit.Key) error {
	want := w.get(key)
	if want == nil {
		return nil
	}
	metadata := w.caches.get(key)
	if metadata == nil {
		w.deliver(key, want, nil)
		return nil
	}
	if w.delivered(want) == metadata.GetResourceVersion() {
		return nil
	}
	kind := w.caches.kinds[key.Kind]
	object, err := kind.Fetch(ctx, w.core, key.Namespace, key.Name)
	switch {
	case apierrors.IsNotFound(err):
		object = nil
	case apierrors.IsForbidden(err):
		// An object that may not be read must not delay the others.
		w.changes.Arrived(key)
		return err
	case err != nil:
		return err
	default:
		kind.Trim(object)
	}
	w.deliver(key, want, object)
	return nil
}

func (w *wanted) delivered(want *want) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return want.version
}

// deliver delivers a fetched object if it is still wanted.
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
		w.changes.Put(key, object)
	}
	w.changes.Arrived(key)
}
