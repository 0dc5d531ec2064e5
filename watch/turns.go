package watch

import (
	"k8s.io/client-go/util/workqueue"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// turns is a queue in which namespaces take turns: the objects of one wait for its earlier
// ones, and for one object of each other namespace at most. What has no namespace is a
// namespace of its own. It is not safe for concurrent use.
type turns struct {
	// order holds each namespace that has keys, once.
	order []string
	keys  map[string][]unit.Key
	count int
}

func newTurns() *turns { return &turns{keys: map[string][]unit.Key{}} }

// Touch implements [workqueue.Queue]. A key that is queued keeps its place.
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

// Pop implements [workqueue.Queue]. There has to be a key.
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

// newFairQueue returns a work queue in which namespaces take turns.
func newFairQueue(limiter workqueue.TypedRateLimiter[unit.Key]) workqueue.TypedRateLimitingInterface[unit.Key] {
	fair := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[unit.Key]{Queue: newTurns()})
	return workqueue.NewTypedRateLimitingQueueWithConfig(limiter, workqueue.TypedRateLimitingQueueConfig[unit.Key]{
		DelayingQueue: workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[unit.Key]{Queue: fair}),
	})
}
