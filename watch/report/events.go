package report

import (
	"context"
	"strings"
	"sync"
	"time"

	recent "github.com/patrickmn/go-cache"
	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/record"

	"github.com/kube-sync/kube-sync/translate/unit"
)

const (
	// eventRate, in Events per second, and eventBurst bound the Events of all objects.
	eventRate  = 10
	eventBurst = 50
	// messageLimit is the longest message that Kubernetes accepts, in bytes.
	messageLimit = 1024
)

// eventCluster is the part of a cluster that Events need.
type eventCluster interface {
	// Get returns the cached object, or nil.
	Get(key unit.Key) unit.Object
	// APIVersion returns the API version in which the objects of a kind are read.
	APIVersion(kind unit.Kind) string
	// EventSink returns the client that writes Events.
	EventSink() record.EventSink
}

// events writes a Warning for each verdict that is not OK: when it appears, and again after
// each window in which it still holds, because Kubernetes forgets Events. A verdict that
// disappears and comes back is new. A new leader does not know what the last one wrote, and
// writes all of them again.
type events struct {
	cluster  eventCluster
	instance string
	window   time.Duration
	limit    *rate.Limiter
	sent     *recent.Cache // objects' keys by the ids of their Events
	due      chan struct{} // receives a value when there may be something to write

	mu       sync.Mutex
	verdicts map[unit.Key][]unit.Verdict
	backlog  *eventBacklog        // nil unless leading
	recorder record.EventRecorder // the same
}

func newEvents(cluster eventCluster, instance string, window time.Duration) *events {
	e := &events{
		cluster:  cluster,
		instance: instance,
		window:   window,
		limit:    rate.NewLimiter(eventRate, eventBurst),
		sent:     recent.New(window, recent.NoExpiration), // expire removes expired entries
		due:      make(chan struct{}, 1),
		verdicts: map[unit.Key][]unit.Verdict{},
	}
	e.sent.OnEvicted(func(_ string, key any) { e.enqueue(key.(unit.Key)) })
	return e
}

// id identifies an Event. Two Events with one id say the same about one object.
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

// lead writes until the context ends, starting with all verdicts.
func (e *events) lead(ctx context.Context) {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(e.cluster.EventSink())

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

// expire forgets the Events that were sent more than a window ago.
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

// wait returns true once an Event may be written, and false when the context ends.
func (e *events) wait(ctx context.Context) bool {
	for ctx.Err() == nil {
		e.mu.Lock()
		_, wait, ok := e.next()
		e.mu.Unlock()
		if ok {
			return true
		}
		var after <-chan time.Time // never, unless an object waits for its namespace's limit
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

// next returns the object whose turn it is. Objects with nothing to write lose their turn.
// Without an object it returns how long to wait; zero if there is nothing to wait for. The
// caller holds the lock.
func (e *events) next() (key unit.Key, wait time.Duration, ok bool) {
	for {
		key, wait, ok := e.backlog.first()
		if !ok {
			return key, wait, false
		}
		// Without a UID kubectl does not show the Event.
		if e.cluster.Get(key) != nil && e.unsent(key) != nil {
			return key, 0, true
		}
		e.backlog.drop(key)
	}
}

// unsent returns a verdict that has not been sent, or nil. The caller holds the lock.
func (e *events) unsent(key unit.Key) *unit.Verdict {
	for i, verdict := range e.verdicts[key] {
		if _, sent := e.sent.Get(id(key, verdict)); !sent {
			return &e.verdicts[key][i]
		}
	}
	return nil
}

// write sends one Event. The object's next turn comes after the other waiting objects of its
// namespace.
func (e *events) write() {
	e.mu.Lock()
	defer e.mu.Unlock()
	key, _, ok := e.next()
	if !ok {
		return
	}
	object, verdict := e.cluster.Get(key), e.unsent(key)
	if object == nil {
		return // deleted a moment ago; the next call drops it
	}
	e.sent.SetDefault(id(key, *verdict), key)
	reference := e.reference(key, object)
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

// reference returns the reference to the object of an Event.
func (e *events) reference(key unit.Key, object unit.Object) *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion:      e.cluster.APIVersion(key.Kind),
		Kind:            string(key.Kind),
		Namespace:       key.Namespace,
		Name:            key.Name,
		UID:             object.GetUID(),
		ResourceVersion: object.GetResourceVersion(),
	}
}

// shorten cuts a message to the length that Kubernetes accepts.
func shorten(message string) string {
	if len(message) <= messageLimit {
		return message
	}
	const more = " ..."
	return strings.ToValidUTF8(message[:messageLimit-len(more)], "") + more
}
