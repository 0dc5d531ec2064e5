package watchtest

import (
	"slices"
	"sync"
)

// Storm is how many objects of one namespace want something at once.
const Storm = 10_000

// Order remembers the namespaces of requests, and holds them back until it is released.
type Order struct {
	Release chan struct{}

	mu         sync.Mutex
	namespaces []string
}

// Note remembers a request.
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
