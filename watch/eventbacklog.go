package watch

import (
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/kube-sync/kube-sync/translate/unit"
)

const (
	// namespaceEventRate and namespaceEventBurst bound the events of one namespace, so that a
	// storm in one takes neither the limit of all nor the API server's time from the others.
	namespaceEventRate  = 2
	namespaceEventBurst = 25
	// aggregateEvery is how often a namespace is told how many of its objects still wait.
	aggregateEvery = time.Minute
)

// eventBacklog holds the objects that events are to be written of. Namespaces take turns,
// those that have used up their share of events aside. It is not safe for concurrent use.
type eventBacklog struct {
	now        func() time.Time
	order      []string // the namespaces that have keys, the next first
	namespaces map[string]*namespaceEvents
}

// namespaceEvents is what one namespace's part of the backlog is.
type namespaceEvents struct {
	keys   []unit.Key
	queued map[unit.Key]struct{}
	limit  *rate.Limiter
	// told is when the namespace was last told how many wait.
	told time.Time
}

func newEventBacklog() *eventBacklog {
	return &eventBacklog{now: time.Now, namespaces: map[string]*namespaceEvents{}}
}

// push adds an object, unless it waits already.
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

// first returns the object whose turn it is, of a namespace that may have an event now.
// Without one it returns how long until there is one; zero if nothing waits.
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

// drop takes away an object that [eventBacklog.first] has returned, and gives the turn to
// the next namespace.
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

// written counts an event of a namespace. If that was the last one for now, and others wait,
// it returns how many objects do, once in a while.
func (b *eventBacklog) written(namespace string) (waiting int) {
	now, n := b.now(), b.namespaces[namespace]
	n.limit.AllowN(now, 1)
	if len(n.keys) == 0 || n.limit.TokensAt(now) >= 1 || now.Sub(n.told) < aggregateEvery {
		return 0
	}
	n.told = now
	return len(n.keys)
}

// trim forgets the namespaces that nothing is to be remembered of.
func (b *eventBacklog) trim() {
	now := b.now()
	for namespace, n := range b.namespaces {
		if len(n.keys) == 0 && n.limit.TokensAt(now) >= namespaceEventBurst && now.Sub(n.told) >= aggregateEvery {
			delete(b.namespaces, namespace)
		}
	}
}
