package watch

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// addressPatience is how long statuses wait for the addresses of the gateway, whose
// Service may be one that we may not read.
const addressPatience = 5 * time.Second

// wholes writes the statuses that the translation makes. Each is merged into what the
// object has: what others wrote there stays, and a status that says it all already is
// not written.
type wholes struct {
	cluster   *Cluster
	published *published
	// denied says why the objects that an object is to own may not be written.
	denied func(unit.Key) string
	log    *slog.Logger

	mu      sync.Mutex
	desired map[unit.Key]whole
	work    statusQueue // nil unless leading
}

// whole is a status that an object is to have.
type whole struct {
	status unit.Status
	// base is the version of the object that was patched last, to have the status.
	// Until the cache shows another version it isn't repeated.
	base string
}

func newWholes(cluster *Cluster, published *published, owned *ownedObjects, log *slog.Logger) *wholes {
	w := &wholes{cluster: cluster, published: published, denied: owned.deniedTo, log: log, desired: map[unit.Key]whole{}}
	owned.observeDenials(w.again)
	cluster.observe(w.enqueueKnown)
	published.observe(w.enqueueAll)
	return w
}

func (w *wholes) report(r Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Gone || r.Status == nil {
		delete(w.desired, r.Object)
		return
	}
	w.desired[r.Object] = whole{status: r.Status}
	w.enqueue(r.Object)
}

// enqueueKnown looks again at an object that was changed, maybe by another.
func (w *wholes) enqueueKnown(key unit.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.desired[key]; ok {
		w.enqueue(key)
	}
}

// again looks again at an object whose status depends on more than the object.
func (w *wholes) again(key unit.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d, ok := w.desired[key]; ok {
		w.desired[key] = whole{status: d.status}
		w.enqueue(key)
	}
}

func (w *wholes) enqueue(key unit.Key) {
	if w.work != nil {
		w.work.Add(key)
	}
}

// enqueueAll looks again at everything, as when the gateway's addresses changed.
func (w *wholes) enqueueAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, d := range w.desired {
		w.desired[key] = whole{status: d.status}
		w.enqueue(key)
	}
}

// lead writes until the context ends, beginning with all there are.
func (w *wholes) lead(ctx context.Context) {
	// Without the addresses everything would be written twice.
	select {
	case <-w.published.known:
	case <-time.After(addressPatience):
	case <-ctx.Done():
	}
	lead(ctx, w.use, w.enqueueAll, w.write)
}

// use sets the queue to enqueue to, nil for none.
func (w *wholes) use(work statusQueue) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.work = work
}

// write brings the status of one object to what is desired, if it isn't.
func (w *wholes) write(ctx context.Context, key unit.Key) (again bool) {
	object := w.cluster.Get(key)
	w.mu.Lock()
	desired, ok := w.desired[key]
	w.mu.Unlock()
	if !ok || object == nil || ctx.Err() != nil || desired.base == object.GetResourceVersion() {
		return false
	}
	status, differs := desired.status.Merge(object, unit.Moment{Time: metav1.Now(), Addresses: w.published.texts(), Denied: w.denied(key)})
	if !differs {
		return false
	}
	patch, err := replacing(w.cluster.kinds[key.Kind], object, status)
	if err == nil {
		err = w.cluster.patchStatus(ctx, key, object.GetResourceVersion(), patch)
	}
	if err != nil {
		return failedStatus(w.log, key, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if now, ok := w.desired[key]; ok && now.status == desired.status {
		w.desired[key] = whole{status: desired.status, base: object.GetResourceVersion()}
	}
	return false
}

// replacing is a merge patch by which an object's status becomes another: what is left out
// there goes.
func replacing(kind Kind, object unit.Object, status any) (map[string]any, error) {
	var have struct{ Status map[string]any }
	var patch map[string]any
	if err := errors.Join(convert(object, &have), convert(status, &patch)); err != nil {
		return nil, err
	}
	if kind.Complete != nil {
		kind.Complete(object, patch)
	}
	for field := range have.Status {
		if _, stays := patch[field]; !stays {
			patch[field] = nil
		}
	}
	return patch, nil
}

// convert reads the JSON of a value into another.
func convert(from, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}
