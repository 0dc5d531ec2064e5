package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/kube-sync/kube-sync/translate/kong"
)

// companionPath is the Admin route of the companion, a plugin that takes deltas; see kong-conf/lua.
const companionPath = "/kube-sync/delta"

// ErrStale is the class of errors of a delta whose base is not what Kong holds.
var ErrStale = errors.New("Kong holds another configuration than the one the change was made from")

// State is what Kong says about its configuration.
type State struct {
	// Hash is the hash of the configuration that Kong holds.
	Hash string
	// Effective is true if every worker uses it. Without the companion this is unknown, and
	// Effective is true.
	Effective bool
	// Companion is true if Kong takes deltas. NoCompanion says why it does not.
	Companion   bool
	NoCompanion string
	// Busy are the workers that are processing a configuration.
	Busy []Worker
	// Hashes are the hashes of the configurations that the workers use, by subsystem ("http", "stream")
	// and number of the worker. PIDs are their process ids. Both are empty without the companion.
	Hashes map[string][]string
	PIDs   []int
	// Workers is the number of Kong's workers, and Behind how many of them use an older configuration in
	// one of their subsystems. Starts is the number of workers that have started since Kong did. All
	// are 0 without the companion.
	Workers, Behind, Starts int
	// Storage is how full Kong's database is; the zero value if that is unknown.
	Storage Storage
	// Due is true if Apply has something to do although no unit changed.
	Due bool
}

// Worker is a worker of Kong and how many seconds it has been processing a configuration.
type Worker struct {
	PID     int
	Seconds float64
}

// Storage is the size of Kong's database, LMDB, and how much of it is used, in bytes.
type Storage struct{ Size, Used int64 }

// Empty reports whether Kong has no configuration.
func (s State) Empty() bool { return strings.Trim(s.Hash, "0") == "" }

// Delta is a change of the configuration in the companion's format.
type Delta struct {
	// Base is the hash of the configuration that the delta changes, Hash the hash of the result.
	Base    string                          `json:"base"`
	Hash    string                          `json:"hash"`
	Upserts map[kong.Type][]json.RawMessage `json:"upserts,omitempty"`
	Deletes []Deleted                       `json:"deletes,omitempty"`
}

// Deleted identifies a deleted entity.
type Deleted struct {
	Type kong.Type `json:"type"`
	ID   string    `json:"id"`
}

// State asks Kong for the state of its configuration.
func (a *Client) State(ctx context.Context) (State, error) {
	answer, err := a.get(ctx, companionPath)
	if err != nil {
		return State{}, err
	}
	var said struct {
		Hash    string `json:"hash"`
		Ready   bool   `json:"ready"`
		Message string `json:"message"`
		Busy    []Worker
		PIDs    []int
		Workers int
		Starts  int
		Storage Storage
		// Effective has the hash of each worker, by subsystem.
		Effective map[string][]string
	}
	unread := json.Unmarshal(answer.body, &said)
	switch {
	case answer.status == http.StatusOK && unread == nil && said.Hash != "":
		return State{
			Hash: said.Hash, Effective: said.Ready, Companion: true, Busy: said.Busy, Hashes: said.Effective, PIDs: said.PIDs,
			Workers: said.Workers, Behind: behind(said.Hash, said.Effective), Starts: said.Starts, Storage: said.Storage,
		}, nil
	case answer.status == http.StatusNotFound:
		said.Message = "its plugin kube-sync-delta is not enabled"
	case answer.status != http.StatusNotImplemented && answer.status != http.StatusOK:
		return State{}, answer.failure()
	}
	hash, err := a.Hash(ctx)
	return State{Hash: hash, Effective: true, NoCompanion: said.Message}, err
}

// behind returns the number of workers that use another configuration than the one with the hash.
func behind(hash string, effective map[string][]string) int {
	workers := map[int]struct{}{}
	for _, hashes := range effective {
		for id, used := range hashes {
			if used != hash {
				workers[id] = struct{}{}
			}
		}
	}
	return len(workers)
}

// ApplyDelta sends a delta. It waits up to some milliseconds for the workers and reports whether
// all of them use the result. It returns ErrStale or an error of [Admin.Load].
func (a *Client) ApplyDelta(ctx context.Context, d Delta, wait int) (effective bool, err error) {
	body, err := json.Marshal(d)
	if err != nil {
		return false, fmt.Errorf("encoding a delta: %w", err)
	}
	answer, err := a.send(ctx, fmt.Sprintf("%s?wait=%d", companionPath, wait), "application/json", body, a.Timeout)
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
		return false, ErrStale
	}
	return false, answer.failure()
}

// Examine asks Kong to process each entity separately, without changing what Kong holds. It returns
// a [*RefusedError] with the entities that make Kong's code fail, or another error of
// [Admin.Load]. It does not check whether Kong accepts the others.
func (a *Client) Examine(ctx context.Context, entities []*kong.Entity) error {
	d := Delta{Upserts: map[kong.Type][]json.RawMessage{}}
	for _, e := range entities {
		d.Upserts[e.Type] = append(d.Upserts[e.Type], e.JSON)
	}
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encoding a question: %w", err)
	}
	answer, err := a.send(ctx, companionPath+"?check=1", "application/json", body, a.Timeout)
	if err != nil || answer.status == http.StatusOK {
		return err
	}
	return answer.failure()
}
