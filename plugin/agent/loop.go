package agent

import (
	"cmp"
	"context"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/plugin/inspect"
	"github.com/kube-sync/kube-sync/plugin/process"
	"github.com/kube-sync/kube-sync/plugin/tracing"
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
	// staleAfter is how long workers may take to use a new configuration. After a full load of 10
	// 000 routes they take seconds.
	staleAfter = 30 * time.Second
)

// Gateway is the local Kong.
type Gateway interface {
	// Apply makes Kong hold what the units contribute. changed are the units that differ since it
	// last succeeded; nil if that is unknown.
	Apply(ctx context.Context, units gateway.Units, changed map[unit.ID]struct{}) (gateway.Outcome, error)
	// State returns what Kong says about its configuration.
	State(ctx context.Context) (adminapi.State, error)
	// ForceFullLoad makes the next Apply send everything.
	ForceFullLoad()
	// Held yields the units whose entities Kong holds, with these entities, in no order.
	Held() iter.Seq[unit.View]
}

// Observer receives measurements, for metrics and readiness.
type Observer interface {
	Translated(took time.Duration, brokenObjects int)
	// Faults sets the number of objects of a kind with a fault for a reason.
	Faults(kind unit.Kind, reason string, objects int)
	// SetCertificate sets when the certificate in a Secret expires; zero if Kong does not serve it.
	SetCertificate(secret unit.Key, notAfter time.Time)
	Applied(outcome gateway.Outcome, took time.Duration, changes map[unit.Kind]time.Time)
	ApplyFailed(err error, took time.Duration)
	// Effective says that every worker uses the changes up to this one. It gets when the oldest change
	// of each kind arrived, and when the API server stored it if that is known, to the second.
	Effective(change uint64, arrived, written map[unit.Kind]time.Time)
	// Checked receives what Kong says, and since when some workers use an older configuration; zero
	// if none do.
	Checked(state adminapi.State, since time.Time)
	// Current says that Kong has what the cluster held at that time.
	Current(at time.Time)
}

// Reporter receives reports on objects. Report does not wait for the network.
type Reporter interface {
	Report(reports ...report.Report)
}

// contacted is a source that may lose contact with its cluster.
type contacted interface {
	// LastContact returns when the cluster was last heard from.
	LastContact() time.Time
}

// diagnosing is a source that finds faults in objects that the translation does not see.
type diagnosing interface {
	Verdicts(key unit.Key) []unit.Verdict
}

// selfContained is a source that has all objects. An object that it lacks does not exist, so that a
// reference to it is a fault, even if another controller may be meant in a cluster.
type selfContained interface{ SelfContained() }

// Parts are what an agent is made of.
type Parts struct {
	Source   watch.Source
	Graph    *unit.Graph
	Gateway  Gateway
	Reporter Reporter
	Observer Observer
	// Addresses publishes the addresses that the cluster protects; nil for none.
	Addresses *AddressPublisher
	// Recorder remembers what the agent does, and Desk has questions about its state; nil for none.
	Recorder *inspect.Recorder
	Desk     *inspect.Desk
	// Tracer traces changes; nil for none.
	Tracer *tracing.Tracer
	Log    *slog.Logger
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
	// addresses publishes the addresses that the cluster protects; nil for none.
	addresses *AddressPublisher
	recorder  *inspect.Recorder
	desk      *inspect.Desk
	tracer    *tracing.Tracer
	log       *slog.Logger

	complete bool                    // all initial objects have been translated
	whole    bool                    // only awaited objects are on their way
	awaited  map[unit.Key]struct{}   // Secrets and ConfigMaps that are wanted and on their way
	held     map[unit.Key]unit.Key   // the awaited object, by the object that needs it
	due      bool                    // an apply is due
	changed  map[unit.ID]struct{}    // units that differ from what was applied; nil if unknown
	pending  map[unit.Key]struct{}   // objects of a large change that are still to be sent
	since    map[unit.Kind]time.Time // arrival of the oldest change of a kind that is not applied
	objects  map[unit.Key]struct{}   // objects to report on
	wanted   []unit.Key
	broken   map[unit.Key][]string // the reasons of objects with verdicts, without repetition
	faults   map[fault]int         // the number of objects with a fault
	// certificates are the Secrets of the units that serve them.
	certificates map[unit.ID]unit.Key

	change   uint64                  // id of the newest change
	acked    uint64                  // id of the newest change that Kong has acknowledged as a whole
	written  map[unit.Kind]time.Time // when the oldest change of a kind that is not applied was stored, if that is known
	awaiting awaiting                // acknowledged changes that are not effective

	hash            string                         // of the last acknowledged configuration
	lagging         time.Time                      // since when some workers use an older one; zero if none do
	loggedCompanion bool                           // whether a missing companion was logged
	refused         map[unit.Key][]gateway.Refusal // by object, as of the last apply
	conflicts       *conflictLog
	retry           *time.Timer
	backoff         time.Duration
	// unpublished is why workers do not know all protected addresses; nil if they do.
	unpublished error
}

func newLoop(p Parts) *loop {
	retry := time.NewTimer(0)
	retry.Stop()
	recorder := cmp.Or(p.Recorder, inspect.NewRecorder())
	if source, ok := p.Source.(contacted); ok {
		recorder.SetContact(source.LastContact)
	}
	return &loop{
		source: p.Source, graph: p.Graph, gateway: p.Gateway, reporter: p.Reporter, observer: p.Observer, addresses: p.Addresses, log: p.Log,
		recorder: recorder, desk: p.Desk, tracer: p.Tracer,
		since: map[unit.Kind]time.Time{}, objects: map[unit.Key]struct{}{}, broken: map[unit.Key][]string{},
		faults: map[fault]int{}, certificates: map[unit.ID]unit.Key{}, written: map[unit.Kind]time.Time{}, awaiting: newAwaiting(),
		awaited: map[unit.Key]struct{}{}, held: map[unit.Key]unit.Key{},
		refused: map[unit.Key][]gateway.Refusal{}, conflicts: newConflictLog(p.Log), retry: retry,
	}
}

// run runs the loop until the context ends.
func (l *loop) run(ctx context.Context) {
	check := time.NewTicker(checkEvery)
	defer check.Stop()
	for {
		waiting := false // for the retry after a failed apply
		select {
		case <-ctx.Done():
			return
		case <-l.source.Pending():
			l.takeBatches()
			waiting = l.backoff > 0
		case <-l.retry.C:
			l.takePending()
		case <-check.C:
			l.check(ctx)
			waiting = l.backoff > 0
		case question := <-l.desk.Questions():
			question(state{l})
			waiting = l.backoff > 0
		}
		l.publishAddresses()
		if l.due && l.complete && !waiting {
			l.apply(ctx)
		}
	}
}

// takePending takes pending changes, if there are any.
func (l *loop) takePending() {
	select {
	case <-l.source.Pending():
		l.takeBatches()
	default:
	}
}

// publishAddresses publishes the addresses that the cluster protects before there are routes that
// could lead to them.
func (l *loop) publishAddresses() {
	if l.addresses == nil || !l.complete {
		return
	}
	err := l.addresses.publish(backend.Learned(l.graph))
	if err != nil && l.unpublished == nil {
		l.log.Error("Kong's workers do not know all protected addresses; publishing them is tried again", "error", err)
	}
	l.unpublished = err
}

// takeBatches translates pending changes. A translation may want Secrets or ConfigMaps that were
// not wanted before; those that are available are taken at once.
func (l *loop) takeBatches() {
	for {
		batch := l.source.Take()
		if result := l.translate(batch); !l.updateWanted(result) {
			l.whole = batch.Complete || batch.Awaited != nil
			clear(l.awaited)
			for _, key := range batch.Awaited {
				l.awaited[key] = struct{}{}
			}
			l.complete = l.complete || batch.Complete
			// Some objects could not be reported on before the Secrets arrived.
			l.due = l.due || l.whole && l.hasReadyReport()
			return
		}
		l.source.Want(l.wanted)
	}
}

// updateWanted collects the wanted Secrets and ConfigMaps, and reports whether they have changed.
// Collecting them costs more than most translations.
func (l *loop) updateWanted(result unit.Result) bool {
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
		l.noteFaults(key)
	}
	l.noteExpiry(result.Units)
	l.observer.Translated(time.Since(begun), len(l.broken))
	if len(result.Units) > 0 {
		l.noteArrival(batch, begun)
	}
	if l.changed != nil {
		maps.Copy(l.changed, result.Units)
	}
	// Without changed units, there may be verdicts to report.
	l.due = l.due || !l.complete || len(result.Units) > 0 || len(result.Objects) > 0
	return result
}

// noteArrival notes when changes arrived that are not applied yet. All objects that arrive until they
// are applied are one change.
func (l *loop) noteArrival(batch watch.Batch, taken time.Time) {
	l.change = l.recorder.Seen(batch.Changes, batch.Since)
	l.tracer.Seen(l.change, batch.Changes, batch.Since, taken, time.Now())
	for _, c := range batch.Changes {
		if at := watch.Written(c.Object); !at.IsZero() {
			earliest(l.written, c.Key.Kind, at)
		}
		if _, ok := l.since[c.Key.Kind]; !ok {
			l.since[c.Key.Kind] = batch.Since
		}
	}
}

// current tells the observer how recent Kong's configuration is.
func (l *loop) current() {
	at := time.Now()
	if source, ok := l.source.(contacted); ok {
		at = source.LastContact()
	}
	l.observer.Current(at)
	l.recorder.Current(at)
}

// check finds out whether Kong lost its configuration, as after a restart, and whether its workers
// use it.
func (l *loop) check(ctx context.Context) {
	if l.hash == "" || l.backoff > 0 {
		return
	}
	state, err := l.gateway.State(ctx)
	if err == nil {
		defer func() { l.observer.Checked(state, l.lagging) }()
	}
	switch {
	case err != nil:
		l.log.Debug("Kong does not answer", "error", err)
	case state.Hash != l.hash:
		l.log.Warn("Kong holds another configuration than the one that it acknowledged; applying all of it again",
			"hash", state.Hash, "acknowledged", l.hash)
		l.due, l.changed = true, nil
	case state.Due:
		l.due = true
	case state.Effective:
		l.lagging = time.Time{}
		l.recorder.Effective(true)
		l.effective()
		if !l.due {
			l.current()
		}
	case l.lagging.IsZero():
		l.lagging = time.Now()
		l.recorder.Effective(false)
	case time.Since(l.lagging) > staleAfter:
		l.log.Warn("Some of Kong's workers do not use the new configuration; applying all of it again",
			"hash", l.hash, "since", l.lagging)
		l.gateway.ForceFullLoad()
		l.due, l.lagging = true, time.Time{}
	}
}

// apply applies the units, or schedules another attempt.
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
		l.recorder.Failed(err)
		l.tracer.Failed(l.change, err, begun)
		l.log.Error("Applying the configuration failed; Kong keeps the one it has", "change", l.change, "error", err, "again_in", l.backoff)
		return
	}
	l.retry.Stop()
	l.backoff, l.hash = 0, outcome.Hash
	l.scheduleRest(outcome.Left)
	since := l.since
	if l.due {
		since = nil // measured with the last piece
	}
	l.observer.Applied(outcome, took, since)
	l.recorder.Applied(outcome, l.due)
	l.tracer.Applied(l.change, outcome, begun, l.due)
	l.logApply(outcome, took)
	if outcome.Delta {
		process.LimitHeapGrowth()
	} else { // the whole configuration was in memory
		process.FreeMemory()
	}
	if !l.due {
		l.acknowledged(outcome)
	}
	l.report(outcome)
}

// scheduleRest schedules the rest of a large change, together with what changes meanwhile.
func (l *loop) scheduleRest(left map[unit.ID]struct{}) {
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

// logApply logs an apply, and once that Kong does not take deltas.
func (l *loop) logApply(outcome gateway.Outcome, took time.Duration) {
	if outcome.Sent {
		level := slog.LevelInfo
		if outcome.Delta { // there may be many per second
			level = slog.LevelDebug
		}
		l.log.Log(context.Background(), level, "Applied the configuration", "change", l.change, "hash", outcome.Hash, "delta", outcome.Delta, "entities", outcome.Entities,
			"bytes", outcome.Bytes, "took", took, "effective", outcome.Effective, "refused", len(outcome.Refusals))
	}
	if l.loggedCompanion {
		return
	}
	l.loggedCompanion = true
	if outcome.NoCompanion != "" {
		l.log.Warn("Every change needs a full load, which takes Kong seconds if the configuration is large",
			"reason", outcome.NoCompanion)
	}
}
