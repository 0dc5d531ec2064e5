package agent

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/process"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
	"github.com/kube-sync/kube-sync/watch/report"
)

const (
	// checkEvery is how often Kong is asked whether it still has its configuration.
	checkEvery = 750 * time.Millisecond
	// retryFirst and retryMost bound the wait after an apply that failed.
	retryFirst = 250 * time.Millisecond
	retryMost  = 2 * time.Second
	// staleAfter is how long workers may take to follow. The rebuild after a load of
	// everything takes seconds at 10 000 routes.
	staleAfter = 30 * time.Second
)

// Gateway is the local Kong.
type Gateway interface {
	// Apply makes Kong hold what the units contribute. Changed are those that differ
	// since it last succeeded; nil if that is not known.
	Apply(ctx context.Context, units gateway.Units, changed map[unit.ID]struct{}) (gateway.Outcome, error)
	// State is what Kong says of its configuration.
	State(ctx context.Context) (gateway.State, error)
	// ForceFullLoad makes the next Apply send everything.
	ForceFullLoad()
}

// Observer is told what happens, for metrics and readiness.
type Observer interface {
	Translated(took time.Duration, brokenObjects int)
	Applied(outcome gateway.Outcome, took time.Duration, changes map[unit.Kind]time.Time)
	ApplyFailed(err error, took time.Duration)
	// Current says that Kong has what the cluster held at that time.
	Current(at time.Time)
}

// Reporter takes reports on objects. Report does not wait for the network.
type Reporter interface {
	Report(reports ...report.Report)
}

// contacted is a source that may lose touch with its cluster.
type contacted interface {
	// LastContact is when the cluster was last heard of.
	LastContact() time.Time
}

// diagnosing is a source that knows of faults of objects that the translation does not see.
type diagnosing interface {
	Verdicts(key unit.Key) []unit.Verdict
}

// Parts are what an agent works with.
type Parts struct {
	Source   watch.Source
	Graph    *unit.Graph
	Gateway  Gateway
	Reporter Reporter
	Observer Observer
	// Addresses are told which addresses the cluster protects; nil if none are to be told.
	Addresses *AddressPublisher
	Log       *slog.Logger
}

// Run keeps the local Kong in step with the source until the context ends.
func Run(ctx context.Context, p Parts) { newLoop(p).run(ctx) }

// loop is the state of the agent.
type loop struct {
	source   watch.Source
	graph    *unit.Graph
	gateway  Gateway
	reporter Reporter
	observer Observer
	// addresses are told which addresses the cluster protects; nil if none are to be told.
	addresses *AddressPublisher
	log       *slog.Logger

	complete bool                    // all that was there at the start has been translated
	whole    bool                    // nothing is on its way but what is awaited
	awaited  map[unit.Key]struct{}   // Secrets and ConfigMaps that are wanted and on their way
	held     map[unit.Key]unit.Key   // by object that is to be reported on: what it waits for
	due      bool                    // something is to be applied
	changed  map[unit.ID]struct{}    // units that differ from what was applied; nil: all may
	pending  map[unit.Key]struct{}   // objects of those that are still to be sent of a large change
	since    map[unit.Kind]time.Time // when the oldest change of a kind that is to be applied arrived
	objects  map[unit.Key]struct{}   // what is to be reported on
	wanted   []unit.Key
	broken   map[unit.Key]struct{} // objects with verdicts

	hash    string                         // of what Kong acknowledged last
	lagging time.Time                      // since when workers do not do as Kong says; zero if they do
	said    bool                           // how changes are applied
	refused map[unit.Key][]gateway.Refusal // by object, as of the last apply
	lost    *contests
	retry   *time.Timer
	backoff time.Duration
	// unpublished is why workers do not know all protected addresses; nil if they do.
	unpublished error
}

func newLoop(p Parts) *loop {
	retry := time.NewTimer(0)
	retry.Stop()
	return &loop{
		source: p.Source, graph: p.Graph, gateway: p.Gateway, reporter: p.Reporter, observer: p.Observer, addresses: p.Addresses, log: p.Log,
		since: map[unit.Kind]time.Time{}, objects: map[unit.Key]struct{}{}, broken: map[unit.Key]struct{}{},
		awaited: map[unit.Key]struct{}{}, held: map[unit.Key]unit.Key{},
		refused: map[unit.Key][]gateway.Refusal{}, lost: newContests(p.Log), retry: retry,
	}
}

// run is the agent: until the context ends.
func (l *loop) run(ctx context.Context) {
	check := time.NewTicker(checkEvery)
	defer check.Stop()
	for {
		waiting := false // for Kong to be ready to take what it refused to a moment ago
		select {
		case <-ctx.Done():
			return
		case <-l.source.Pending():
			l.take()
			waiting = l.backoff > 0
		case <-l.retry.C:
			l.takePending()
		case <-check.C:
			l.check(ctx)
			waiting = l.backoff > 0
		}
		l.publishAddresses()
		if l.due && l.complete && !waiting {
			l.apply(ctx)
		}
	}
}

// takePending takes what has changed, if anything has.
func (l *loop) takePending() {
	select {
	case <-l.source.Pending():
		l.take()
	default:
	}
}

// publishAddresses tells which addresses the cluster protects, before there are routes by which
// these could be reached.
func (l *loop) publishAddresses() {
	if l.addresses == nil || !l.complete {
		return
	}
	err := l.addresses.publish(backend.Learned(l.graph))
	if err != nil && l.unpublished == nil {
		l.log.Error("Kong's workers do not know all addresses that are not to be connected to; they are told again until they do", "error", err)
	}
	l.unpublished = err
}

// take translates what has changed. A translation may find that it wants Secrets or ConfigMaps
// that nobody asked for before; what is at hand of those is taken at once.
func (l *loop) take() {
	for {
		batch := l.source.Take()
		if result := l.translate(batch); !l.wants(result) {
			l.whole = batch.Complete || batch.Awaited != nil
			clear(l.awaited)
			for _, key := range batch.Awaited {
				l.awaited[key] = struct{}{}
			}
			l.complete = l.complete || batch.Complete
			// What could not be told before the Secrets were there.
			l.due = l.due || l.whole && l.hasTellable()
			return
		}
		l.source.Want(l.wanted)
	}
}

// wants notes which Secrets and ConfigMaps are wanted, and reports whether these are others now.
// To collect them costs more than most translations.
func (l *loop) wants(result unit.Result) bool {
	_, secrets := result.Reads[unit.Secret]
	_, configMaps := result.Reads[unit.ConfigMap]
	if !secrets && !configMaps {
		return false
	}
	before := l.wanted
	l.wanted = append(l.graph.Reads(unit.Secret), l.graph.Reads(unit.ConfigMap)...)
	return !slices.Equal(l.wanted, before)
}

func (l *loop) translate(batch watch.Batch) unit.Result {
	begun := time.Now()
	result := l.graph.Update(batch.Changes...)
	for key := range result.Objects {
		l.objects[key] = struct{}{}
		if len(l.graph.Verdicts(key)) > 0 {
			l.broken[key] = struct{}{}
		} else {
			delete(l.broken, key)
		}
	}
	l.observer.Translated(time.Since(begun), len(l.broken))
	if len(result.Units) > 0 {
		l.note(batch)
	}
	if l.changed != nil {
		maps.Copy(l.changed, result.Units)
	}
	// Without changed units there is nothing to send, but verdicts to report.
	l.due = l.due || !l.complete || len(result.Units) > 0 || len(result.Objects) > 0
	return result
}

// note remembers since when changes wait to be effective.
func (l *loop) note(batch watch.Batch) {
	for _, c := range batch.Changes {
		if _, ok := l.since[c.Key.Kind]; !ok {
			l.since[c.Key.Kind] = batch.Since
		}
	}
}

// current tells how old what Kong has is by now.
func (l *loop) current() {
	at := time.Now()
	if source, ok := l.source.(contacted); ok {
		at = source.LastContact()
	}
	l.observer.Current(at)
}

// check finds out whether Kong lost its configuration, as after a restart, and whether
// its workers follow.
func (l *loop) check(ctx context.Context) {
	if l.hash == "" || l.backoff > 0 {
		return
	}
	state, err := l.gateway.State(ctx)
	switch {
	case err != nil:
		l.log.Debug("Kong does not answer", "error", err)
	case state.Hash != l.hash:
		l.log.Warn("Kong holds another configuration than the one it acknowledged; applying again",
			"hash", state.Hash, "acknowledged", l.hash)
		l.due, l.changed = true, nil
	case state.Due:
		l.due = true
	case state.Effective:
		l.lagging = time.Time{}
		if !l.due {
			l.current()
		}
	case l.lagging.IsZero():
		l.lagging = time.Now()
	case time.Since(l.lagging) > staleAfter:
		l.log.Warn("Some of Kong's workers do not take over the configuration; applying all of it again",
			"hash", l.hash, "since", l.lagging)
		l.gateway.ForceFullLoad()
		l.due, l.lagging = true, time.Time{}
	}
}

// apply brings Kong in step, or sees to it that it is tried again.
func (l *loop) apply(ctx context.Context) {
	begun := time.Now()
	outcome, err := l.gateway.Apply(ctx, l.graph, l.changed)
	took := time.Since(begun)
	if err != nil {
		if ctx.Err() != nil {
			return
		}
		l.backoff = min(max(2*l.backoff, retryFirst), retryMost)
		l.retry.Reset(l.backoff)
		l.observer.ApplyFailed(err, took)
		l.log.Error("Applying the configuration failed; Kong keeps the one it has", "error", err, "again_in", l.backoff)
		return
	}
	l.retry.Stop()
	l.backoff, l.hash = 0, outcome.Hash
	l.leave(outcome.Left)
	since := l.since
	if l.due {
		since = nil // how long it took is known with the last piece
	}
	l.observer.Applied(outcome, took, since)
	l.say(outcome, took)
	if outcome.Delta {
		process.LimitHeapGrowth()
	} else { // the whole configuration was in memory, and may not be again
		process.FreeMemory()
	}
	if !l.due {
		clear(l.since)
	}
	l.report(outcome)
}

// leave sees to it that the rest of a large change is sent, with what changes meanwhile.
func (l *loop) leave(left map[unit.ID]struct{}) {
	l.due, l.changed, l.pending = len(left) > 0, map[unit.ID]struct{}{}, nil
	if !l.due {
		return
	}
	l.changed, l.pending = left, make(map[unit.Key]struct{}, len(left))
	for id := range left {
		if view, ok := l.graph.View(id); ok {
			l.pending[view.Object] = struct{}{}
		}
	}
	l.retry.Reset(0)
}

// say logs an apply, and once how changes are applied.
func (l *loop) say(outcome gateway.Outcome, took time.Duration) {
	if outcome.Sent {
		level := slog.LevelInfo
		if outcome.Delta { // of which there may be many a second
			level = slog.LevelDebug
		}
		l.log.Log(context.Background(), level, "Applied the configuration", "hash", outcome.Hash, "delta", outcome.Delta, "entities", outcome.Entities,
			"bytes", outcome.Bytes, "took", took, "effective", outcome.Effective, "refused", len(outcome.Refusals))
	}
	if l.said {
		return
	}
	l.said = true
	if outcome.NoCompanion != "" {
		l.log.Warn("Every change is a load of the whole configuration, which takes Kong long when it is large",
			"reason", outcome.NoCompanion)
	}
}
