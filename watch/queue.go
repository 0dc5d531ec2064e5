package watch

import (
	"slices"
	"sync"
	"time"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Queue coalesces changes until they are taken: it keeps only the newest state of each object.
// Any number of producers may use it at once; one consumer takes.
type Queue struct {
	ready chan struct{}

	mu       sync.Mutex
	changes  map[unit.Key]unit.Object
	since    time.Time
	expected map[any]struct{}
}

// NewQueue returns an empty queue that expects nothing.
func NewQueue() *Queue {
	return &Queue{
		ready:    make(chan struct{}, 1),
		changes:  map[unit.Key]unit.Object{},
		expected: map[any]struct{}{},
	}
}

// Put records the state of an object; nil if it is gone.
func (q *Queue) Put(key unit.Key, object unit.Object) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.changes) == 0 {
		q.since = time.Now()
	}
	q.changes[key] = object
	q.signal()
}

// Expect keeps batches incomplete until the token arrives. The token of a single object is
// its [unit.Key].
func (q *Queue) Expect(token any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.expected[token] = struct{}{}
}

// Arrived says that every object of an expected token has been put. It ignores tokens that
// are not expected.
func (q *Queue) Arrived(token any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, ok := q.expected[token]; !ok {
		return
	}
	delete(q.expected, token)
	if len(q.expected) == 0 {
		// The consumer may be waiting for completeness alone.
		q.signal()
	}
}

func (q *Queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// awaited returns the expected tokens if all of them are keys of objects, and nil otherwise.
func (q *Queue) awaited() []unit.Key {
	keys := make([]unit.Key, 0, len(q.expected))
	for token := range q.expected {
		key, ok := token.(unit.Key)
		if !ok {
			return nil
		}
		keys = append(keys, key)
	}
	return keys
}

// Pending receives a value when there is something to take; see [Source].
func (q *Queue) Pending() <-chan struct{} { return q.ready }

// Take returns all changes since the last call, ordered by key.
func (q *Queue) Take() Batch {
	q.mu.Lock()
	taken := q.changes
	batch := Batch{Since: q.since, Complete: len(q.expected) == 0, Awaited: q.awaited()}
	q.changes, q.since = map[unit.Key]unit.Object{}, time.Time{}
	select { // this batch has the changes of the pending signal
	case <-q.ready:
	default:
	}
	q.mu.Unlock()

	batch.Changes = make([]unit.Change, 0, len(taken))
	for key, object := range taken {
		batch.Changes = append(batch.Changes, unit.Change{Key: key, Object: object})
	}
	slices.SortFunc(batch.Changes, func(a, b unit.Change) int { return a.Key.Compare(b.Key) })
	return batch
}
