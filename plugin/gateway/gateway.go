package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Units is the translation as the gateway reads it.
type Units interface {
	// Units yields all units, always in the same order.
	Units() iter.Seq[unit.View]
	// View returns one unit, and whether it exists.
	View(id unit.ID) (unit.View, bool)
}

// Outcome is the state of the local Kong after [Gateway.Apply].
type Outcome struct {
	// Hash is the MD5 of the configuration that Kong holds, in hex.
	Hash string
	// Sent is false if Kong already held the configuration.
	Sent bool
	// Delta is true if only the changes were sent.
	Delta bool
	// Effective is true if every worker already uses the configuration. Without the companion this
	// is unknown, and Effective is true.
	Effective bool
	// NoCompanion says why Kong does not take deltas; empty if it does.
	NoCompanion string
	// Rounds is the number of attempts until Kong accepted a configuration.
	Rounds int
	// Bytes is the size of what was sent.
	Bytes int
	// Entities is the number of entities of each type in the configuration.
	Entities map[kong.Type]int
	// Refusals are all current ones, including those of earlier calls, in the order of their units.
	Refusals []Refusal
	// Retained are units that the graph no longer has. A unit that is kept at its last good
	// version still needs their entities.
	Retained []unit.ID
	// Left are the changed units that are still to be sent. The caller calls Apply again with
	// them, and with the units that changed meanwhile.
	Left map[unit.ID]struct{}
}

// Refusal says that the configuration lacks something that an object asks for.
type Refusal struct {
	Unit   unit.ID
	Object unit.Key
	Reason Reason
	// Messages say what is wrong, in Kong's words, or what is left out because of which other object.
	Messages []string
	// Kept is true if the entities that Kong last acknowledged of the unit are still in place.
	Kept bool
}

// Reason is why something is left out of the configuration, for metrics.
type Reason string

const (
	// Invalid is what Kong refuses.
	Invalid Reason = "invalid"
	// Conflicting is a value that another object has.
	Conflicting Reason = "conflict"
	// TooLarge is what does not fit into Kong.
	TooLarge Reason = "too_large"
	// Crashed is what a worker crashed or hung over.
	Crashed Reason = "crash"
	// Dependent is what refers to something that is left out.
	Dependent Reason = "dependency"
)

// maxRounds bounds the attempts of one call. Kong reports only some kinds of faults at once.
const maxRounds = 10

// Relay is the proxy beside Kong. Its rules exist before Kong gets the routes that lead to them, and
// until Kong has removed those routes.
type Relay interface {
	// Add adds relays, or replaces those with the same id.
	Add(relays []*kong.Entity)
	// Remove removes relays.
	Remove(relays []*kong.Entity)
	// Keep removes all other relays.
	Keep(relays []*kong.Entity)
}

// Gateway is the local Kong and what it holds. It allows one call at a time.
type Gateway struct {
	admin *adminapi.Client
	relay Relay
	// applied is what Kong acknowledged last. Its entities are the graph's own.
	applied map[unit.ID]part
	// hash is Kong's hash of applied; empty before anything was acknowledged.
	hash string
	// base is Kong's hash of the configuration before applied. undo is the delta that leads back to
	// it; nil if applied was not sent as a delta.
	base string
	undo *deltaPlan
	// lagging means that some workers did not use the last change yet when it was acknowledged.
	lagging bool
	// size is the number of bytes in applied.
	size  int
	holds map[unit.ID]*hold
	// refused are the entities that Kong refused and others replace.
	refused substitutions
	// vetted are the plugins that Kong accepted when asked, since the last full load.
	vetted map[string]struct{}
	// tally summarizes applied for deltas; nil without the companion.
	tally *tally
	// backlog is what is still to be sent, turns the order in which it is sent, and pace the size of
	// the next piece.
	backlog      *backlog
	turns        turns
	pace         pace
	maxPieceCost int
	// pieceDuration is the time for a piece while only one namespace has something to send.
	pieceDuration time.Duration
	// journal has the units that were sent, and next those that may be sent after them.
	journal *Journal
	next    []unit.ID
	// separated has until when the changes of a namespace are sent separately, because a worker
	// crashed or hung over one of its units.
	separated map[string]time.Time
	// nextRetry is the earliest time at which a unit is tried again over which a worker crashed or hung.
	nextRetry time.Time
	// newlyQuarantined means that the refusals no longer say what the journal has.
	newlyQuarantined bool
	log              *slog.Logger
	now              func() time.Time
	// unclear counts consecutive requests that got no answer for no known reason.
	unclear int
	// unstored counts consecutive configurations that Kong accepted and failed to store.
	unstored int
	// hung is the process id of a worker that hangs over what is being sent.
	hung          int
	lookAfter     time.Duration
	processorTime func(pid int) time.Duration
	// companion is true if Kong had the companion when it was last asked.
	companion bool
	// forceFull makes the next Apply send everything, even if Kong says that it holds it.
	forceFull bool
}

// New returns a gateway that does not know yet what Kong holds.
func New(admin *adminapi.Client, relay Relay) *Gateway {
	return &Gateway{
		admin: admin, relay: relay, applied: map[unit.ID]part{}, holds: map[unit.ID]*hold{}, refused: substitutions{}, vetted: map[string]struct{}{},
		separated: map[string]time.Time{}, journal: &Journal{}, log: slog.Default(), now: time.Now, lookAfter: lookAfter, processorTime: processorTime,
		maxPieceCost: maxPieceCost, pieceDuration: pieceDuration,
	}
}

// Apply makes Kong hold the configuration of the units, except for those that Kong refuses. It
// returns when Kong has acknowledged a configuration with all the others. Refusals are part of the
// outcome and not an error. After an error Kong holds what it held before, as far as is known, and
// the caller tries again: see [ErrBusy], [ErrUnreachable], [ErrTooLarge].
//
// Changed has at least the units that differ since the last call that succeeded. Only they are sent,
// if that is possible. If it is nil, all units are compared. Of a large change one piece is sent: see
// [Outcome.Left].
func (g *Gateway) Apply(ctx context.Context, units Units, changed map[unit.ID]struct{}) (Outcome, error) {
	g.next = append(g.next, g.refused.release(units)...)
	if g.unclear > 0 { // Kong may still be working on the last request
		if _, err := g.quickState(ctx); err != nil {
			return Outcome{}, err
		}
	}
	released := append(g.next, g.release(units)...)
	g.next, g.newlyQuarantined = nil, false
	g.holdSuspects(units)
	outcome, err := g.apply(ctx, units, changed, released)
	if err != nil {
		g.next = append(released, g.next...)
		return outcome, err
	}
	if outcome, err = g.retryHeld(ctx, units, outcome); errors.Is(err, errNeedsAll) {
		return g.apply(ctx, units, nil, nil)
	}
	return outcome, err
}

func (g *Gateway) apply(ctx context.Context, units Units, changed map[unit.ID]struct{}, released []unit.ID) (Outcome, error) {
	if changed == nil && g.rolledBack(ctx, units) {
		changed = g.outdated(units)
	}
	for changed != nil && g.tally != nil && !g.forceFull {
		if g.lagging && g.turns.piece > 0 { // another piece would only wait in Kong
			g.awaitEffective(ctx)
		}
		ids, left := g.nextPiece(units, changed, released)
		outcome, err := g.applyDelta(ctx, units, ids)
		if !errors.Is(err, errNeedsAll) {
			g.lagging, outcome.Left = err == nil && !outcome.Effective, left
			return outcome, err
		}
		if !errors.Is(err, adminapi.ErrStale) || !g.rolledBack(ctx, units) {
			break
		}
		changed = g.outdated(units)
	}
	return g.applyAll(ctx, units)
}

// ForceFullLoad makes the next Apply send everything, even if Kong says that it holds it. It is for
// workers that have not taken the configuration over.
func (g *Gateway) ForceFullLoad() { g.forceFull = true }

// Held yields the units whose entities Kong holds, with these entities, in no order. Versions of units
// that are quarantined are older than the translation's.
func (g *Gateway) Held() iter.Seq[unit.View] {
	return func(yield func(unit.View) bool) {
		for id, p := range g.applied {
			if !yield(unit.View{ID: id, Object: p.object, Entities: p.entities, Version: p.version}) {
				return
			}
		}
	}
}

// State returns what Kong says about its configuration. If State.Due is true, the caller calls Apply.
func (g *Gateway) State(ctx context.Context) (adminapi.State, error) {
	state, err := g.admin.State(ctx)
	if err == nil && state.Effective && state.Hash == g.hash {
		g.noteResult(nil, true)
	}
	state.Due = g.newlyQuarantined || len(g.next) > 0 || len(g.dueRetries()) > 0
	return state, err
}

// applyAll compares and sends the configuration as a whole.
func (g *Gateway) applyAll(ctx context.Context, units Units) (Outcome, error) {
	state, err := g.admin.State(ctx)
	if err != nil {
		return Outcome{}, err
	}
	if g.companion = state.Companion; state.Hash != g.hash && (state.Hash == g.base || state.Empty()) {
		g.rollBack()
		g.holdSuspects(units)
	}
	// inSync means that Kong holds, and so accepts, what is in applied.
	inSync := g.hash != "" && state.Hash == g.hash
	tooLarge := 0 // attempts that were too large
	for round := range maxRounds {
		p := newPlan(units, g.holds, g.refused, g.applied)
		relays := p.relays()
		g.relay.Add(relays)
		outcome, err := g.load(ctx, units, p, state, inSync)
		if err == nil {
			g.relay.Keep(relays)
			g.applied, g.hash, g.base, g.forceFull = p.parts, outcome.Hash, "", false
			g.undo, g.lagging = nil, false
			g.size, g.unstored = p.size, 0
			clear(g.vetted)
			g.tally = nil
			if state.Companion {
				g.tally = newTally(p)
			}
			if outcome.Sent {
				outcome.Rounds = round + 1
			}
			outcome.Refusals, outcome.Retained = g.refusals(units, p), p.retained
			return outcome, nil
		}
		if errors.Is(err, adminapi.ErrTooLarge) && g.makeRoom(units, p, inSync, tooLarge, err) {
			tooLarge++
			continue
		}
		if err := g.handleFailure(ctx, units, p, inSync, err); err != nil {
			return Outcome{}, err
		}
		if inSync { // handleFailure may have sent deltas
			state.Hash = g.hash
		}
	}
	return Outcome{}, fmt.Errorf("Kong refused %d configurations in a row", maxRounds)
}

// load makes Kong hold the entities of a plan, unless it already does.
func (g *Gateway) load(ctx context.Context, units Units, p *plan, state adminapi.State, inSync bool) (Outcome, error) {
	entities := p.entities()
	p.size = sizeOf(entities)
	outcome := Outcome{Entities: count(entities), Effective: state.Effective, NoCompanion: state.NoCompanion}
	label := sumOf(entities).String()
	if state.Companion && state.Hash == label && !g.forceFull {
		g.noteResult(nil, state.Effective)
		outcome.Hash = label
		return outcome, nil
	}
	body := kong.Declarative(entities)
	outcome.Hash, outcome.Bytes = hashOf(body), len(body)
	if outcome.Hash != state.Hash || g.forceFull {
		g.noteSending(units, p, g.suspects(p, inSync))
		err := g.vet(ctx, p)
		if err == nil {
			err = g.send(ctx, body, outcome.Hash)
		}
		if g.noteResult(err, !state.Companion); err != nil {
			return Outcome{}, err
		}
		outcome.Sent, outcome.Effective = true, !state.Companion
	}
	if state.Companion {
		// Replace Kong's hash with one that deltas can update.
		_, err := g.admin.ApplyDelta(ctx, adminapi.Delta{Base: outcome.Hash, Hash: label}, 0)
		if err != nil {
			return Outcome{}, fmt.Errorf("setting the hash of the loaded configuration: %v", err)
		}
		outcome.Hash = label
	}
	return outcome, nil
}

// send loads a configuration and makes sure that Kong holds it.
func (g *Gateway) send(ctx context.Context, body []byte, hash string) error {
	var err error
	g.withHangWatch(ctx, len(body), func(ctx context.Context) { err = g.admin.Load(ctx, body) })
	if unanswered(err) {
		return g.classifyUnanswered(ctx, hash, err)
	}
	if err == nil {
		var held string
		if held, err = g.admin.Hash(ctx); err == nil && held != hash {
			return fmt.Errorf("Kong holds the configuration %s instead of %s: something else writes to its Admin API", held, hash)
		}
	}
	return err
}

// handleFailure takes the cause of an error out of the next round. It returns an error if it cannot.
func (g *Gateway) handleFailure(ctx context.Context, units Units, p *plan, inSync bool, cause error) error {
	refused, ok := errors.AsType[*adminapi.RefusedError](cause)
	switch {
	case ok && g.quarantine(units, p, refused.Entities) > 0:
		return nil
	case unanswered(cause) && inSync && g.tally != nil:
		if err := g.applyChangedOneByOne(ctx, units, p, cause); !errors.Is(err, errNeedsAll) {
			return err
		}
		return g.findCause(ctx, units, p, inSync, cause)
	case ok, errors.Is(cause, adminapi.ErrFailed):
		return g.findCause(ctx, units, p, inSync, cause)
	}
	return cause
}

// refusals returns all current refusals, in the order of their units.
func (g *Gateway) refusals(units Units, p *plan) []Refusal {
	list := append(p.refusals(units, g.holds, g.applied), g.refused.refusals()...)
	slices.SortFunc(list, func(a, b Refusal) int {
		return cmp.Or(a.Unit.Compare(b.Unit), a.Object.Compare(b.Object))
	})
	return list
}

func count(entities []*kong.Entity) map[kong.Type]int {
	counts := map[kong.Type]int{}
	for _, e := range entities {
		counts[e.Type]++
	}
	return counts
}
