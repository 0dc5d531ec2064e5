package watch

import (
	"context"
	"strings"
	"sync"
	"time"

	recent "github.com/patrickmn/go-cache"
	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/kube-sync/kube-sync/translate/unit"
)

const (
	// eventRate and eventBurst bound the events a second of all objects together.
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
	due      chan struct{} // has an element when there may be something to write

	mu       sync.Mutex
	verdicts map[unit.Key][]unit.Verdict
	backlog  *eventBacklog        // nil unless leading
	recorder record.EventRecorder // the same
}

func newEvents(cluster *Cluster, instance string, window time.Duration) *events {
	e := &events{
		cluster:  cluster,
		instance: instance,
		window:   window,
		limit:    rate.NewLimiter(eventRate, eventBurst),
		sent:     recent.New(window, recent.NoExpiration), // lead has it forget
		due:      make(chan struct{}, 1),
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
	still := map[string]struct{}{}
	for _, verdict := range r.Verdicts {
		if !verdict.OK && !r.Gone {
			faults = append(faults, verdict)
			still[id(r.Object, verdict)] = struct{}{}
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
		over := id(r.Object, verdict)
		if _, ok := still[over]; !ok {
			e.sent.Delete(over)
		}
	}
	if len(faults) > 0 {
		e.enqueue(r.Object)
	}
}

func (e *events) enqueue(key unit.Key) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.backlog == nil {
		return
	}
	e.backlog.push(key)
	select {
	case e.due <- struct{}{}:
	default:
	}
}

// lead writes until the context ends, beginning with all there are.
func (e *events) lead(ctx context.Context) {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: e.cluster.clients.core.CoreV1().Events("")})

	e.sent.Flush()
	e.mu.Lock()
	e.backlog = newEventBacklog()
	e.recorder = broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kube-sync", Host: e.instance})
	for key := range e.verdicts {
		e.backlog.push(key)
	}
	e.mu.Unlock()

	var expiry sync.WaitGroup
	expiry.Go(func() { e.expire(ctx) })
	for e.wait(ctx) && e.limit.Wait(ctx) == nil {
		e.write()
	}
	expiry.Wait()
	e.mu.Lock()
	e.backlog, e.recorder = nil, nil
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
			e.mu.Lock()
			e.backlog.trim()
			e.mu.Unlock()
		}
	}
}

// wait returns true once an event may be written, and false when the context ends.
func (e *events) wait(ctx context.Context) bool {
	for ctx.Err() == nil {
		e.mu.Lock()
		_, wait, ok := e.next()
		e.mu.Unlock()
		if ok {
			return true
		}
		var after <-chan time.Time // never, if nothing waits for its namespace's limit
		if wait > 0 {
			after = time.After(wait)
		}
		select {
		case <-ctx.Done():
		case <-e.due:
		case <-after:
		}
	}
	return false
}

// next returns the object whose turn it is, of which there is something to write. Those of
// which there is nothing lose their turn. Without one it returns how long to wait, zero if
// there is nothing to wait for. The caller holds the lock.
func (e *events) next() (key unit.Key, wait time.Duration, ok bool) {
	for {
		key, wait, ok := e.backlog.first()
		if !ok {
			return key, wait, false
		}
		// Without a UID kubectl wouldn't show the event.
		if e.cluster.Get(key) != nil && e.unsent(key) != nil {
			return key, 0, true
		}
		e.backlog.drop(key)
	}
}

// unsent returns a verdict that wasn't sent yet, or nil. The caller holds the lock.
func (e *events) unsent(key unit.Key) *unit.Verdict {
	for i, verdict := range e.verdicts[key] {
		if _, sent := e.sent.Get(id(key, verdict)); !sent {
			return &e.verdicts[key][i]
		}
	}
	return nil
}

// write sends one event. The object has its next turn after those of its namespace that
// wait by now.
func (e *events) write() {
	e.mu.Lock()
	defer e.mu.Unlock()
	key, _, ok := e.next()
	if !ok {
		return
	}
	object, verdict := e.cluster.Get(key), e.unsent(key)
	if object == nil {
		return // gone a moment ago; the next call drops it
	}
	e.sent.SetDefault(id(key, *verdict), key)
	kind := e.cluster.kinds[key.Kind]
	reference := &corev1.ObjectReference{
		APIVersion:      e.cluster.resource(key.Kind).GroupVersion().String(),
		Kind:            string(kind.Name),
		Namespace:       key.Namespace,
		Name:            key.Name,
		UID:             object.GetUID(),
		ResourceVersion: object.GetResourceVersion(),
	}
	e.recorder.Event(reference, corev1.EventTypeWarning, verdict.Reason, shorten(verdict.Message))
	e.backlog.drop(key)
	if e.unsent(key) != nil {
		e.backlog.push(key)
	}
	if waiting := e.backlog.written(key.Namespace); waiting > 0 {
		e.recorder.Eventf(reference, corev1.EventTypeWarning, "EventsDelayed",
			"%d more objects of this namespace have faults; their Events follow at %d a second", waiting, namespaceEventRate)
	}
}

// shorten cuts a message at what Kubernetes takes.
func shorten(message string) string {
	if len(message) <= messageLimit {
		return message
	}
	const more = " ..."
	return strings.ToValidUTF8(message[:messageLimit-len(more)], "") + more
}
