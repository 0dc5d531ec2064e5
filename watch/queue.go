package watch

import (
	"slices"
	"sync"
	"time"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// queue coalesces changes until they are taken: of each object only the latest
// state is kept. Any number of producers may use it at once; one consumer takes.
type queue struct {
	ready chan struct{}

	mu       sync.Mutex
	changes  map[unit.Key]unit.Object
	since    time.Time
	expected map[any]struct{}
}

func newQueue() *queue {
	return &queue{
		ready:    make(chan struct{}, 1),
		changes:  map[unit.Key]unit.Object{},
		expected: map[any]struct{}{},
	}
}

// put records that the object is now as given, or gone when it is nil.
func (q *queue) put(key unit.Key, object unit.Object) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.changes) == 0 {
		q.since = time.Now()
	}
	q.changes[key] = object
	q.signal()
}

// expect keeps batches from being complete until the same token has arrived.
func (q *queue) expect(token any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.expected[token] = struct{}{}
}

// arrived ends what expect began. Everything that belongs to the token has to
// be put before. Tokens that aren't expected are ignored.
func (q *queue) arrived(token any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, ok := q.expected[token]; !ok {
		return
	}
	delete(q.expected, token)
	if len(q.expected) == 0 {
		// The consumer may be waiting for nothing but completeness.
		q.signal()
	}
}

func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// awaited are the expected tokens if all of them are keys of objects.
func (q *queue) awaited() []unit.Key {
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

// Pending implements [Source].
func (q *queue) Pending() <-chan struct{} { return q.ready }

// Take implements [Source]. The changes are ordered by key.
func (q *queue) Take() Batch {
	q.mu.Lock()
	taken := q.changes
	batch := Batch{Since: q.since, Complete: len(q.expected) == 0, Awaited: q.awaited()}
	q.changes, q.since = map[unit.Key]unit.Object{}, time.Time{}
	select { // what was signaled is in this batch
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
