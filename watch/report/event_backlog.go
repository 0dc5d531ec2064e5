package report

import (
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/kube-sync/kube-sync/translate/unit"
)

const (
	// namespaceEventRate, in Events per second, and namespaceEventBurst bound the Events of
	// one namespace, so that a storm there leaves room below the common limit.
	namespaceEventRate  = 2
	namespaceEventBurst = 25
	// aggregateEvery is the least time between two Events that say how many objects of a
	// namespace wait.
	aggregateEvery = time.Minute
)

// eventBacklog holds the objects that wait for an Event. Namespaces take turns, except those
// that have used up their share of Events. It is not safe for concurrent use.
type eventBacklog struct {
	now        func() time.Time
	order      []string // the namespaces that have keys, the next first
	namespaces map[string]*namespaceEvents
}

// namespaceEvents is one namespace's part of the backlog.
type namespaceEvents struct {
	keys   []unit.Key
	queued map[unit.Key]struct{}
	limit  *rate.Limiter
	// summarized is the time of the last Event that said how many objects wait.
	summarized time.Time
}

func newEventBacklog() *eventBacklog {
	return &eventBacklog{now: time.Now, namespaces: map[string]*namespaceEvents{}}
}

// push adds an object unless it waits already.
func (b *eventBacklog) push(key unit.Key) {
	n := b.namespaces[key.Namespace]
	if n == nil {
		n = &namespaceEvents{queued: map[unit.Key]struct{}{}, limit: rate.NewLimiter(namespaceEventRate, namespaceEventBurst)}
		b.namespaces[key.Namespace] = n
	}
	if _, queued := n.queued[key]; queued {
		return
	}
	if len(n.keys) == 0 {
		b.order = append(b.order, key.Namespace)
	}
	n.keys = append(n.keys, key)
	n.queued[key] = struct{}{}
}

// first returns the object whose turn it is, of a namespace that may have an Event now.
// Without such an object it returns how long to wait for one; zero if nothing waits.
func (b *eventBacklog) first() (key unit.Key, wait time.Duration, ok bool) {
	now := b.now()
	for _, namespace := range b.order {
		n := b.namespaces[namespace]
		tokens := n.limit.TokensAt(now)
		if tokens >= 1 {
			return n.keys[0], 0, true
		}
		until := max(time.Duration((1-tokens)/namespaceEventRate*float64(time.Second)), time.Millisecond)
		if wait == 0 || until < wait {
			wait = until
		}
	}
	return key, wait, false
}

// drop removes the object that first has returned. It is the next namespace's turn then.
func (b *eventBacklog) drop(key unit.Key) {
	n := b.namespaces[key.Namespace]
	n.keys = n.keys[1:]
	delete(n.queued, key)
	at := slices.Index(b.order, key.Namespace)
	b.order = slices.Delete(b.order, at, at+1)
	if len(n.keys) > 0 {
		b.order = append(b.order, key.Namespace)
	}
}

// written counts an Event of a namespace. If the namespace has used up its share and objects
// wait, it returns how many, at most once every aggregateEvery.
func (b *eventBacklog) written(namespace string) (waiting int) {
	now, n := b.now(), b.namespaces[namespace]
	n.limit.AllowN(now, 1)
	if len(n.keys) == 0 || n.limit.TokensAt(now) >= 1 || now.Sub(n.summarized) < aggregateEvery {
		return 0
	}
	n.summarized = now
	return len(n.keys)
}

// trim forgets idle namespaces that have their full share again.
func (b *eventBacklog) trim() {
	now := b.now()
	for namespace, n := range b.namespaces {
		if len(n.keys) == 0 && n.limit.TokensAt(now) >= namespaceEventBurst && now.Sub(n.summarized) >= aggregateEvery {
			delete(b.namespaces, namespace)
		}
	}
}
