package report

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
)

// workers is how many objects a reconciler writes at once.
const workers = 16

// objects is a cache of the cluster's objects.
type objects interface {
	// Get returns the cached object, or nil.
	Get(key unit.Key) unit.Object
	// Observe registers a function that is called with every change of a cached object.
	Observe(observer func(unit.Key))
}

// reconciler brings objects to their desired state D. The desired state may change at any
// time; objects are written only while lead runs.
type reconciler[D any] struct {
	// write brings one object to its desired state. It reports whether to try again.
	write func(ctx context.Context, key unit.Key, desired D) (again bool)
	// forget, if set, returns the desired state without what it remembers of earlier writes.
	forget func(D) D

	mu      sync.Mutex
	desired map[unit.Key]D
	work    watch.FairQueue // nil unless leading
}

// change changes the desired state of one object and reconciles it. If keep is false, the
// object no longer has a desired state.
func (r *reconciler[D]) change(key unit.Key, f func(before D, known bool) (after D, keep bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.desired[key]
	after, keep := f(before, known)
	if !keep {
		delete(r.desired, key)
		return
	}
	r.desired[key] = after
	r.enqueue(key)
}

// note changes the desired state of an object that has one, without reconciling the object.
func (r *reconciler[D]) note(key unit.Key, f func(before D) (after D, keep bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.desired[key]
	if !known {
		return
	}
	if after, keep := f(before); keep {
		r.desired[key] = after
	} else {
		delete(r.desired, key)
	}
}

// again reconciles an object that has a desired state.
func (r *reconciler[D]) again(key unit.Key) {
	r.change(key, func(d D, known bool) (D, bool) { return d, known })
}

// rewrite reconciles an object as if it had never been written.
func (r *reconciler[D]) rewrite(key unit.Key) {
	r.change(key, func(d D, known bool) (D, bool) { return r.forgotten(d), known })
}

// rewriteAll reconciles all objects as if they had never been written.
func (r *reconciler[D]) rewriteAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, d := range r.desired {
		r.desired[key] = r.forgotten(d)
		r.enqueue(key)
	}
}

func (r *reconciler[D]) forgotten(d D) D {
	if r.forget == nil {
		return d
	}
	return r.forget(d)
}

func (r *reconciler[D]) enqueue(key unit.Key) {
	if r.work != nil {
		r.work.Add(key)
	}
}

// lead reconciles until the context ends, starting with all objects.
func (r *reconciler[D]) lead(ctx context.Context) {
	work := watch.NewFairQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[unit.Key](200*time.Millisecond, time.Minute))
	r.setQueue(work)
	r.rewriteAll()
	r.drain(ctx, work)
	r.setQueue(nil)
}

// setQueue sets the queue; nil for none.
func (r *reconciler[D]) setQueue(work watch.FairQueue) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.work = work
}

// drain processes the queue until the context ends. Failed objects are tried again later.
func (r *reconciler[D]) drain(ctx context.Context, work watch.FairQueue) {
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for {
				key, shutdown := work.Get()
				if shutdown {
					return
				}
				if r.process(ctx, key) && ctx.Err() == nil {
					work.AddRateLimited(key)
				} else {
					work.Forget(key)
				}
				work.Done(key)
			}
		})
	}
	<-ctx.Done()
	work.ShutDown()
	running.Wait()
}

func (r *reconciler[D]) process(ctx context.Context, key unit.Key) (again bool) {
	r.mu.Lock()
	desired, known := r.desired[key]
	r.mu.Unlock()
	return known && ctx.Err() == nil && r.write(ctx, key, desired)
}
