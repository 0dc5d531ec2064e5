package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/kube-sync/kube-sync/translate/kong"
)

// The companion is a plugin in Kong that takes changes smaller than a whole
// configuration; see kong-conf/lua.
const companionPath = "/kube-sync/delta"

// errStale is the class of errors of a delta whose base is not what Kong holds.
var errStale = errors.New("Kong holds another configuration than the one the change was made from")

// State is what Kong says of its configuration.
type State struct {
	// Hash is that of the configuration that Kong holds.
	Hash string
	// Effective tells that every worker works by it. Without the companion nobody
	// knows, and it is true.
	Effective bool
	// Companion tells that Kong takes deltas; NoCompanion says why it does not.
	Companion   bool
	NoCompanion string
	// Busy are the workers that are looking at a configuration.
	Busy []Worker
	// Due tells that there is something to apply although nothing changed.
	Due bool
}

// Worker is one of Kong's, at work since a number of seconds.
type Worker struct {
	PID     int
	Seconds float64
}

// empty reports whether Kong has no configuration.
func (s State) empty() bool { return strings.Trim(s.Hash, "0") == "" }

// delta is a change of the configuration as the companion takes it.
type delta struct {
	// Base is the hash of the configuration that it changes, Hash the one that the
	// result is to have.
	Base    string                          `json:"base"`
	Hash    string                          `json:"hash"`
	Upserts map[kong.Type][]json.RawMessage `json:"upserts,omitempty"`
	Deletes []deleted                       `json:"deletes,omitempty"`
}

type deleted struct {
	Type kong.Type `json:"type"`
	ID   string    `json:"id"`
}

// State asks Kong for the configuration that it holds.
func (a *Admin) State(ctx context.Context) (State, error) {
	answer, err := a.get(ctx, companionPath)
	if err != nil {
		return State{}, err
	}
	var said struct {
		Hash    string `json:"hash"`
		Ready   bool   `json:"ready"`
		Message string `json:"message"`
		Busy    []Worker
	}
	unread := json.Unmarshal(answer.body, &said)
	switch {
	case answer.status == http.StatusOK && unread == nil && said.Hash != "":
		return State{Hash: said.Hash, Effective: said.Ready, Companion: true, Busy: said.Busy}, nil
	case answer.status == http.StatusNotFound:
		said.Message = "its plugin kube-sync-delta is not enabled"
	case answer.status != http.StatusNotImplemented && answer.status != http.StatusOK:
		return State{}, answer.failure()
	}
	hash, err := a.Hash(ctx)
	return State{Hash: hash, Effective: true, NoCompanion: said.Message}, err
}

// change applies a delta. It tells whether all workers work by it already, for which
// it waits up to a number of milliseconds. Errors are those of [Admin.Load] and errStale.
func (a *Admin) change(ctx context.Context, d delta, wait int) (effective bool, err error) {
	body, err := json.Marshal(d)
	if err != nil {
		return false, fmt.Errorf("encoding a change: %w", err)
	}
	answer, err := a.send(ctx, fmt.Sprintf("%s?wait=%d", companionPath, wait), "application/json", body, a.timeout)
	if err != nil {
		return false, err
	}
	switch answer.status {
	case http.StatusOK:
		var said struct{ Effective bool }
		if err := json.Unmarshal(answer.body, &said); err != nil {
			return false, fmt.Errorf("the companion's answer: %w", err)
		}
		return said.Effective, nil
	case http.StatusConflict:
		return false, errStale
	}
	return false, answer.failure()
}

// failures asks Kong to look at each of the entities for itself, without a change to what
// it holds. It returns a [*RefusedError] of those over which Kong's code fails; whether
// Kong accepts the others is not asked. Errors are else those of [Admin.Load].
func (a *Admin) failures(ctx context.Context, entities []*kong.Entity) error {
	d := delta{Upserts: map[kong.Type][]json.RawMessage{}}
	for _, e := range entities {
		d.Upserts[e.Type] = append(d.Upserts[e.Type], e.JSON)
	}
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encoding a question: %w", err)
	}
	answer, err := a.send(ctx, companionPath+"?check=1", "application/json", body, a.timeout)
	if err != nil || answer.status == http.StatusOK {
		return err
	}
	return answer.failure()
}
