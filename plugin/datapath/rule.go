package datapath

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/kube-sync/kube-sync/translate/route"
)

// rule is a relay ready to be used.
type rule struct {
	route.Relay
	backends []*backend
	mirrors  []*mirror
	sessions *sessions // nil for none

	mu sync.Mutex // of the backends' credit
}

// backend is one of a rule's, and which of its targets is next.
type backend struct {
	route.RelayBackend
	transport *transport
	credit    int
	turn      atomic.Uint32
}

func newBackend(b route.RelayBackend, lent *transport) *backend {
	made := &backend{RelayBackend: b, transport: lent}
	made.turn.Store(rand.Uint32()) // gateways don't all begin with the first
	return made
}

// all are the backends of requests and of copies.
func (r *rule) all() []*backend {
	all := r.backends
	for _, m := range r.mirrors {
		all = append(all[:len(all):len(all)], m.backend)
	}
	return all
}

// next is the endpoint whose turn it is, another than the one given if its backend has
// several.
func (r *rule) next(failed destination) destination {
	at := destination{backend: r.draw()}
	if at.target = at.backend.target(); at.target == failed.target {
		at.target = at.backend.target()
	}
	return at
}

// draw is the backend whose turn it is: each is drawn exactly as often as its weight has
// it, with the least of rows of the same.
func (r *rule) draw() *backend {
	if len(r.backends) == 1 {
		return r.backends[0]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	total := 0
	var chosen *backend
	for _, b := range r.backends {
		total += b.Weight
		if b.credit += b.Weight; chosen == nil || b.credit > chosen.credit {
			chosen = b
		}
	}
	chosen.credit -= total
	return chosen
}

// target is the endpoint whose turn it is.
func (b *backend) target() string {
	return b.Targets[b.turn.Add(1)%uint32(len(b.Targets))]
}

// scheme is that of the backend's URLs.
func (b *backend) scheme() string {
	if b.TLS != nil {
		return "https"
	}
	return "http"
}
