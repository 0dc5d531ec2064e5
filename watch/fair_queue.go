package watch

import (
	"k8s.io/client-go/util/workqueue"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// FairQueue is a work queue of objects in which namespaces take turns.
type FairQueue = workqueue.TypedRateLimitingInterface[unit.Key]

// NewFairQueue returns an empty queue. The limiter delays the objects that are added again
// after a failure.
func NewFairQueue(limiter workqueue.TypedRateLimiter[unit.Key]) FairQueue {
	fair := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[unit.Key]{Queue: newTurns()})
	return workqueue.NewTypedRateLimitingQueueWithConfig(limiter, workqueue.TypedRateLimitingQueueConfig[unit.Key]{
		DelayingQueue: workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[unit.Key]{Queue: fair}),
	})
}

// turns orders the keys of a work queue: an object waits for the earlier objects of its own
// namespace and for at most one object of each other namespace per turn. Cluster-scoped
// objects share a namespace. It is not safe for concurrent use.
type turns struct {
	// order holds each namespace that has keys, once.
	order []string
	keys  map[string][]unit.Key
	count int
}

func newTurns() *turns { return &turns{keys: map[string][]unit.Key{}} }

// Touch implements [workqueue.Queue]. A queued key keeps its place.
func (t *turns) Touch(unit.Key) {}

// Push implements [workqueue.Queue].
func (t *turns) Push(key unit.Key) {
	if len(t.keys[key.Namespace]) == 0 {
		t.order = append(t.order, key.Namespace)
	}
	t.keys[key.Namespace] = append(t.keys[key.Namespace], key)
	t.count++
}

// Len implements [workqueue.Queue].
func (t *turns) Len() int { return t.count }

// Pop implements [workqueue.Queue]. The queue must not be empty.
func (t *turns) Pop() unit.Key {
	namespace := t.order[0]
	t.order = t.order[1:]
	keys := t.keys[namespace]
	if rest := keys[1:]; len(rest) > 0 {
		t.keys[namespace] = rest
		t.order = append(t.order, namespace)
	} else {
		delete(t.keys, namespace)
	}
	t.count--
	return keys[0]
}
