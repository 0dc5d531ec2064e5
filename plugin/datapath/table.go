package datapath

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"sync"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
)

// table holds the rules.
type table struct {
	log        *slog.Logger
	transports transports

	mu       sync.RWMutex
	byID     map[string]*rule
	byKey    map[string]*rule
	entities map[string]*kong.Entity // what the rules were made of
}

// rule returns the rule with a key, or nil.
func (t *table) rule(key string) *rule {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byKey[key]
}

// Add adds relays, or replaces those with the same id.
func (r *Relay) Add(relays []*kong.Entity) {
	t := &r.table
	for _, e := range relays {
		t.mu.RLock()
		same := t.entities[e.ID] != nil && t.entities[e.ID].Equal(e)
		t.mu.RUnlock()
		if !same {
			t.set(e)
		}
	}
	r.rules.Set(float64(t.len()))
}

// Remove removes relays.
func (r *Relay) Remove(relays []*kong.Entity) {
	t := &r.table
	for _, e := range relays {
		t.drop(e.ID)
	}
	r.rules.Set(float64(t.len()))
}

// Keep removes all other relays.
func (r *Relay) Keep(relays []*kong.Entity) {
	t := &r.table
	t.mu.RLock()
	gone := maps.Clone(t.entities)
	t.mu.RUnlock()
	for _, e := range relays {
		delete(gone, e.ID)
	}
	for id := range gone {
		t.drop(id)
	}
	r.rules.Set(float64(t.len()))
}

func (t *table) len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.byID)
}

func (t *table) set(e *kong.Entity) {
	made, err := t.compile(e)
	if err != nil {
		// Do not serve requests in a way that was not configured.
		t.log.Error("A relay is invalid; its requests are answered 503", "relay", e.Name, "error", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID, t.byKey, t.entities = map[string]*rule{}, map[string]*rule{}, map[string]*kong.Entity{}
	}
	t.forget(e.ID)
	t.byID[e.ID], t.byKey[made.Key], t.entities[e.ID] = made, made, e
}

func (t *table) drop(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(id)
}

func (t *table) forget(id string) {
	old := t.byID[id]
	if old == nil {
		return
	}
	delete(t.byID, id)
	delete(t.byKey, old.Key)
	delete(t.entities, id)
	for _, b := range old.allBackends() {
		t.transports.release(b.transport)
	}
}

// compile returns the rule of a relay. If there is an error, the rule has no backends.
func (t *table) compile(e *kong.Entity) (*rule, error) {
	made := &rule{}
	if err := json.Unmarshal(e.JSON, &made.Relay); err != nil {
		return made, fmt.Errorf("relay %s: %w", e.Name, err)
	}
	add := func(b route.RelayBackend) (*backend, error) {
		lent, err := t.transports.acquire(b)
		if err != nil {
			return nil, fmt.Errorf("relay %s: %w", e.Name, err)
		}
		return newBackend(b, lent), nil
	}
	for _, b := range made.Backends {
		found, err := add(b)
		if err != nil {
			t.releaseAll(made)
			return made, err
		}
		made.backends = append(made.backends, found)
	}
	for _, m := range made.Mirrors {
		found, err := add(m.Backend)
		if err != nil {
			t.releaseAll(made)
			return made, err
		}
		made.mirrors = append(made.mirrors, &mirror{Mirror: m, backend: found, copies: make(chan struct{}, maxCopiesEach)})
	}
	made.sessions = newSessions(made.Session, made.backends)
	return made, nil
}

// releaseAll removes the backends of a rule.
func (t *table) releaseAll(r *rule) {
	for _, b := range r.allBackends() {
		t.transports.release(b.transport)
	}
	r.backends, r.mirrors = nil, nil
}
