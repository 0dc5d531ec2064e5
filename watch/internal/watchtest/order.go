package watchtest

import (
	"slices"
	"sync"
)

// Storm is the number of objects of one namespace in tests of fairness.
const Storm = 10_000

// Order records the namespaces of requests, and blocks the requests until Release is closed.
type Order struct {
	Release chan struct{}

	mu         sync.Mutex
	namespaces []string
}

// Note records a request and waits for the release.
func (o *Order) Note(namespace string) {
	o.mu.Lock()
	o.namespaces = append(o.namespaces, namespace)
	o.mu.Unlock()
	<-o.Release
}

// Before returns how many requests came before the first of a namespace; false without one.
func (o *Order) Before(namespace string) (int, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := slices.Index(o.namespaces, namespace)
	return at, at >= 0
}

// Count returns the number of requests.
func (o *Order) Count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.namespaces)
}
