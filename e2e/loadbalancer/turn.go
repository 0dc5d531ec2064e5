package loadbalancer

import (
	"net/netip"
	"sync"
)

// turn is a round robin of endpoints.
type turn struct {
	mu        sync.Mutex
	endpoints []netip.AddrPort
	taken     int
}

func (t *turn) forwardTo(endpoints []netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endpoints = endpoints
}

// order returns all endpoints, the next one in turn first.
func (t *turn) order() []netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.endpoints) == 0 {
		return nil
	}
	first := t.taken % len(t.endpoints)
	t.taken++
	return append(append([]netip.AddrPort{}, t.endpoints[first:]...), t.endpoints[:first]...)
}
