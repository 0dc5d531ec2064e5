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

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Units is the translation as the gateway reads it.
type Units interface {
	// Units yields all units, always in the same order.
	Units() iter.Seq[unit.View]
	// View is one of them, if it is there.
	View(id unit.ID) (unit.View, bool)
}

// Outcome is the state of the local Kong after [Gateway.Apply].
type Outcome struct {
	// Hash is the MD5 of the configuration that Kong holds, in hex.
	Hash string
	// Sent is false when Kong held the configuration already.
	Sent bool
	// Delta tells that only what changed was sent.
	Delta bool
	// Effective tells that every worker works by the configuration already. Without
	// the companion nobody knows, and it is true.
	Effective bool
	// NoCompanion says why Kong does not take deltas; empty if it does.
	NoCompanion string
	// Rounds is how often Kong was asked to take a configuration, or its plugins, until
	// it took it all.
	Rounds int
	// Bytes is the size of what was sent.
	Bytes int
	// Entities counts what the configuration has of each type.
	Entities map[kong.Type]int
	// Refusals are all that stand at the moment, also those of earlier calls, in the
	// order of their units.
	Refusals []Refusal
	// Retained are units that the graph does not have any more. Their last entities
	// remain for the sake of a unit that is kept at its last good version.
	Retained []unit.ID
	// Left are the changed units that are still to be applied, if not all were at once. Apply
	// is to be called again with them, and with what changed meanwhile.
	Left map[unit.ID]struct{}
}

// Refusal says that a unit is not in the configuration as its object wants it.
type Refusal struct {
	Unit   unit.ID
	Object unit.Key
	// Messages say what is wrong, in Kong's words, or what is left out with which
	// other object.
	Messages []string
	// Kept is true when what Kong last acknowledged of the unit is still in place.
	Kept bool
}

// Kong reports all faults of one kind at once, but some kinds one at a time.
const maxRounds = 10

// Relay is the proxy beside Kong. It has what Kong's routes lead to before Kong is told
// of them, and until Kong has forgotten them.
type Relay interface {
	// Add has relays there, each in the place of one of the same id.
	Add(relays []*kong.Entity)
	// Remove drops relays, Keep all others.
	Remove(relays []*kong.Entity)
	Keep(relays []*kong.Entity)
}

// Gateway is the local Kong and what it holds. One call at a time.
type Gateway struct {
	admin *Admin
	relay Relay
	// applied is what Kong acknowledged last. Its entities are the graph's own.
	applied map[unit.ID]part
	// hash is Kong's hash of applied; empty before anything was acknowledged.
	hash string
	// base is Kong's hash of what it had before, and undo the change that leads back to it; nil
	// if that was no delta.
	base string
	undo *change
	// lagging tells that not all workers worked by the last change when it was acknowledged.
	lagging bool
	// size is how many bytes applied has.
	size  int
	holds map[unit.ID]*hold
	// refused are entities that Kong does not take and others stand for.
	refused substitutions
	// vetted are plugins that Kong was asked about since it last took a configuration,
	// and has no objection to.
	vetted map[string]struct{}
	// tally is what a delta needs to know of applied; nil without the companion.
	tally *tally
	// backlog is what was not sent at once, turns the order in which it is sent, and pace how
	// much at a time.
	backlog     *backlog
	turns       turns
	pace        pace
	mostInPiece int
	// withinPiece is the time for a piece of a namespace that has something to send alone.
	withinPiece time.Duration
	// ledger has what was sent, next the units that may be sent after it.
	ledger *Ledger
	next   []unit.ID
	// accused are the namespaces over whose units a worker ended or hung, and until when what
	// they change is sent apart from that of others.
	accused map[string]time.Time
	// nextTrial is before when no unit is tried again over which a worker ended or hung.
	nextTrial time.Time
	// convicted tells that there is more to say of one of the ledger's units.
	convicted bool
	log       *slog.Logger
	now       func() time.Time
	// unclear counts in a row what Kong gave no answer to, without a reason that can be seen.
	unclear int
	// unstored counts in a row the configurations that Kong accepted and failed to store.
	unstored int
	// hung is the process of a worker that hangs over what is being sent.
	hung          int
	lookAfter     time.Duration
	processorTime func(pid int) time.Duration
	// companion tells that Kong had it when it was last asked.
	companion bool
	// forceFull makes the next apply send everything, whatever Kong says that it holds.
	forceFull bool
}

// New makes a gateway that knows nothing yet of what Kong holds.
func New(admin *Admin, relay Relay) *Gateway {
	return &Gateway{
		admin: admin, relay: relay, applied: map[unit.ID]part{}, holds: map[unit.ID]*hold{}, refused: substitutions{}, vetted: map[string]struct{}{},
		accused: map[string]time.Time{}, ledger: &Ledger{}, log: slog.Default(), now: time.Now, lookAfter: lookAfter, processorTime: processorTime,
		mostInPiece: mostInPiece, withinPiece: withinPiece,
	}
}

// Apply brings Kong to the configuration of the units, except for those that Kong
// refuses. It returns when Kong has acknowledged a configuration that holds all the
// rest; the refusals are in the outcome and are no error. After an error Kong holds
// what it held before, as far as can be known, and the call is to be repeated: see
// [ErrBusy], [ErrUnreachable], [ErrTooLarge].
//
// Changed names at least the units that differ since the last call that succeeded.
// Only they are sent, if that is possible; nil has all of them compared and sent. Of a
// large change a piece is sent: see [Outcome.Left].
func (g *Gateway) Apply(ctx context.Context, units Units, changed map[unit.ID]struct{}) (Outcome, error) {
	g.next = append(g.next, g.refused.release(units)...)
	if g.unclear > 0 { // it may still be at what was sent
		if _, err := g.peek(ctx); err != nil {
			return Outcome{}, err
		}
	}
	released := append(g.next, g.release(units)...)
	g.next, g.convicted = nil, false
	g.recall(units)
	outcome, err := g.apply(ctx, units, changed, released)
	if err != nil {
		g.next = append(released, g.next...)
		return outcome, err
	}
	if outcome, err = g.tryHeld(ctx, units, outcome); errors.Is(err, errNeedsAll) {
		return g.apply(ctx, units, nil, nil)
	}
	return outcome, err
}

func (g *Gateway) apply(ctx context.Context, units Units, changed map[unit.ID]struct{}, released []unit.ID) (Outcome, error) {
	if changed == nil && g.takenBack(ctx, units) {
		changed = g.differing(units)
	}
	for changed != nil && g.tally != nil && !g.forceFull {
		if g.lagging && g.turns.piece > 0 { // more would only wait in Kong
			g.awaitEffective(ctx)
		}
		ids, left := g.piece(units, changed, released)
		outcome, err := g.applyDelta(ctx, units, ids)
		if !errors.Is(err, errNeedsAll) {
			g.lagging, outcome.Left = err == nil && !outcome.Effective, left
			return outcome, err
		}
		if !errors.Is(err, errStale) || !g.takenBack(ctx, units) {
			break
		}
		changed = g.differing(units)
	}
	return g.applyAll(ctx, units)
}

// ForceFullLoad makes the next Apply send everything, also to a Kong that says it has it: some of
// its workers have not taken it over.
func (g *Gateway) ForceFullLoad() { g.forceFull = true }

// State is what Kong says of its configuration. Apply is to be called if something is due.
func (g *Gateway) State(ctx context.Context) (State, error) {
	state, err := g.admin.State(ctx)
	if err == nil && state.Effective && state.Hash == g.hash {
		g.sent(nil, true)
	}
	state.Due = g.convicted || len(g.next) > 0 || len(g.due()) > 0
	return state, err
}

// applyAll compares and sends the configuration as a whole.
func (g *Gateway) applyAll(ctx context.Context, units Units) (Outcome, error) {
	state, err := g.admin.State(ctx)
	if err != nil {
		return Outcome{}, err
	}
	if g.companion = state.Companion; state.Hash != g.hash && (state.Hash == g.base || state.empty()) {
		g.condemn()
		g.recall(units)
	}
	// proven says that applied is what Kong holds, and so what it accepts.
	proven := g.hash != "" && state.Hash == g.hash
	tooLarge := 0 // how often it was
	for round := range maxRounds {
		p := newPlan(units, g.holds, g.refused, g.applied)
		relays := p.relays()
		g.relay.Add(relays)
		outcome, err := g.load(ctx, units, p, state, proven)
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
		if errors.Is(err, ErrTooLarge) && g.makeRoom(units, p, proven, tooLarge, err) {
			tooLarge++
			continue
		}
		if err := g.yield(ctx, units, p, proven, err); err != nil {
			return Outcome{}, err
		}
		if proven { // there may have been deltas
			state.Hash = g.hash
		}
	}
	return Outcome{}, fmt.Errorf("Kong refused %d configurations in a row", maxRounds)
}

// load makes Kong hold the entities of a plan, unless it says that it does.
func (g *Gateway) load(ctx context.Context, units Units, p *plan, state State, proven bool) (Outcome, error) {
	entities := p.entities()
	p.size = sizeOf(entities)
	outcome := Outcome{Entities: count(entities), Effective: state.Effective, NoCompanion: state.NoCompanion}
	label := sumOf(entities).String()
	if state.Companion && state.Hash == label && !g.forceFull {
		g.sent(nil, state.Effective)
		outcome.Hash = label
		return outcome, nil
	}
	body := kong.Declarative(entities)
	outcome.Hash, outcome.Bytes = hashOf(body), len(body)
	if outcome.Hash != state.Hash || g.forceFull {
		g.begin(units, p, g.suspects(p, proven))
		err := g.vet(ctx, p)
		if err == nil {
			err = g.send(ctx, body, outcome.Hash)
		}
		if g.sent(err, !state.Companion); err != nil {
			return Outcome{}, err
		}
		outcome.Sent, outcome.Effective = true, !state.Companion
	}
	if state.Companion {
		// From here on the configuration has a hash that deltas can keep in step.
		_, err := g.admin.change(ctx, delta{Base: outcome.Hash, Hash: label}, 0)
		if err != nil {
			return Outcome{}, fmt.Errorf("naming the configuration that was loaded: %v", err)
		}
		outcome.Hash = label
	}
	return outcome, nil
}

// send loads a configuration and makes sure that Kong holds it.
func (g *Gateway) send(ctx context.Context, body []byte, hash string) error {
	var err error
	g.watched(ctx, len(body), func(ctx context.Context) { err = g.admin.Load(ctx, body) })
	if silent(err) {
		return g.aftermath(ctx, hash, err)
	}
	if err == nil {
		var held string
		if held, err = g.admin.Hash(ctx); err == nil && held != hash {
			return fmt.Errorf("Kong holds the configuration %s instead of %s: something else writes to its Admin API", held, hash)
		}
	}
	return err
}

// yield takes out of the next round what the error is about. It returns an error
// when that is not to be had.
func (g *Gateway) yield(ctx context.Context, units Units, p *plan, proven bool, cause error) error {
	refused, ok := errors.AsType[*RefusedError](cause)
	switch {
	case ok && g.quarantine(units, p, refused.Entities) > 0:
		return nil
	case silent(cause) && proven && g.tally != nil:
		if err := g.oneAfterTheOther(ctx, units, p, cause); !errors.Is(err, errNeedsAll) {
			return err
		}
		return g.search(ctx, units, p, proven, cause)
	case ok, errors.Is(cause, ErrFailed):
		return g.search(ctx, units, p, proven, cause)
	}
	return cause
}

// refusals are all that stand, in the order of their units.
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
