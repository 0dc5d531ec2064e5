package watch

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	recent "github.com/patrickmn/go-cache"
	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"

	"github.com/kube-sync/kube-sync/translate/unit"
)

const (
	// eventRate and eventBurst bound the events of all objects together.
	eventRate  = 10
	eventBurst = 50
	// messageLimit is what Kubernetes takes, in bytes.
	messageLimit = 1024
)

// events writes a Warning for each verdict that isn't OK: when it comes up, and
// again each time that the window has passed and it still holds, because
// Kubernetes forgets events. A verdict that went away and comes back is new. A
// new leader doesn't know what the last one wrote and begins anew.
type events struct {
	cluster  *Cluster
	instance string
	window   time.Duration
	limit    *rate.Limiter
	sent     *recent.Cache // by the verdict's id: the object's key

	mu       sync.Mutex
	verdicts map[unit.Key][]unit.Verdict
	work     workqueue.TypedRateLimitingInterface[unit.Key] // nil unless leading
	recorder record.EventRecorder                           // the same
}

func newEvents(cluster *Cluster, instance string, window time.Duration) *events {
	e := &events{
		cluster:  cluster,
		instance: instance,
		window:   window,
		limit:    rate.NewLimiter(eventRate, eventBurst),
		sent:     recent.New(window, recent.NoExpiration), // lead has it forget
		verdicts: map[unit.Key][]unit.Verdict{},
	}
	e.sent.OnEvicted(func(_ string, key any) { e.enqueue(key.(unit.Key)) })
	return e
}

// id is what makes two events the same.
func id(key unit.Key, v unit.Verdict) string {
	return strings.Join([]string{key.String(), v.Reason, v.Message}, "\x00")
}

func (e *events) report(r Report) {
	var faults []unit.Verdict
	for _, verdict := range r.Verdicts {
		if !verdict.OK && !r.Gone {
			faults = append(faults, verdict)
		}
	}
	e.mu.Lock()
	before := e.verdicts[r.Object]
	if len(faults) > 0 {
		e.verdicts[r.Object] = faults
	} else {
		delete(e.verdicts, r.Object)
	}
	e.mu.Unlock()
	for _, verdict := range before {
		if !slices.Contains(faults, verdict) {
			e.sent.Delete(id(r.Object, verdict))
		}
	}
	if len(faults) > 0 {
		e.enqueue(r.Object)
	}
}

func (e *events) enqueue(key unit.Key) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.work != nil {
		e.work.Add(key)
	}
}

// lead writes until the context ends, beginning with all there are.
func (e *events) lead(ctx context.Context) {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: e.cluster.clients.core.CoreV1().Events("")})
	work := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[unit.Key]())

	e.sent.Flush()
	e.mu.Lock()
	e.work = work
	e.recorder = broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kube-sync", Host: e.instance})
	for key := range e.verdicts {
		work.Add(key)
	}
	e.mu.Unlock()

	var expiry sync.WaitGroup
	expiry.Go(func() { e.expire(ctx) })
	drain(ctx, work, 1, e.write)
	expiry.Wait()
	e.mu.Lock()
	e.work, e.recorder = nil, nil
	e.mu.Unlock()
}

// expire forgets what was sent a window ago.
func (e *events) expire(ctx context.Context) {
	tick := time.NewTicker(max(e.window/60, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			e.sent.DeleteExpired()
		}
	}
}

// write sends the events of one object that weren't sent yet.
func (e *events) write(ctx context.Context, key unit.Key) (again bool) {
	object := e.cluster.Get(key)
	if object == nil {
		return false // without a UID kubectl wouldn't show the event
	}
	kind := e.cluster.kinds[key.Kind]
	reference := &corev1.ObjectReference{
		APIVersion:      kind.Resource.GroupVersion().String(),
		Kind:            string(kind.Name),
		Namespace:       key.Namespace,
		Name:            key.Name,
		UID:             object.GetUID(),
		ResourceVersion: object.GetResourceVersion(),
	}
	for {
		if err := e.limit.Wait(ctx); err != nil {
			return false
		}
		verdict, ok := e.next(key)
		if !ok {
			return false
		}
		e.recorder.Event(reference, corev1.EventTypeWarning, verdict.Reason, shorten(verdict.Message))
	}
}

// next returns a verdict that wasn't sent yet and marks it as sent. Both under
// the lock: a verdict that is gone must not be marked.
func (e *events) next(key unit.Key) (unit.Verdict, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, verdict := range e.verdicts[key] {
		if e.sent.Add(id(key, verdict), key, recent.DefaultExpiration) == nil {
			return verdict, true
		}
	}
	return unit.Verdict{}, false
}

// shorten cuts a message at what Kubernetes takes.
func shorten(message string) string {
	if len(message) <= messageLimit {
		return message
	}
	const more = " ..."
	return strings.ToValidUTF8(message[:messageLimit-len(more)], "") + more
}
