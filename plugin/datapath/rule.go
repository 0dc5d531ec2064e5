package datapath

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/kube-sync/kube-sync/translate/route"
)

// rule is a relay with its connections and state.
type rule struct {
	route.Relay
	backends []*backend
	mirrors  []*mirror
	sessions *sessions // nil for none

	mu sync.Mutex // of the backends' credit
}

// backend is a backend of a rule, and which of its targets is next.
type backend struct {
	route.RelayBackend
	transport *transport
	credit    int
	turn      atomic.Uint32
}

func newBackend(b route.RelayBackend, lent *transport) *backend {
	made := &backend{RelayBackend: b, transport: lent}
	made.turn.Store(rand.Uint32()) // so that gateways start with different endpoints
	return made
}

// allBackends returns the backends of requests and of copies.
func (r *rule) allBackends() []*backend {
	all := r.backends
	for _, m := range r.mirrors {
		all = append(all[:len(all):len(all)], m.backend)
	}
	return all
}

// next returns the next endpoint. It differs from the given one if the backend has several.
func (r *rule) next(failed destination) destination {
	at := destination{backend: r.nextBackend()}
	if at.target = at.backend.target(); at.target == failed.target {
		at.target = at.backend.target()
	}
	return at
}

// nextBackend returns the next backend by smooth weighted round robin.
func (r *rule) nextBackend() *backend {
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

// target returns the next endpoint.
func (b *backend) target() string {
	return b.Targets[b.turn.Add(1)%uint32(len(b.Targets))]
}

// scheme returns the scheme of the backend's URLs.
func (b *backend) scheme() string {
	if b.TLS != nil {
		return "https"
	}
	return "http"
}
