package inspect

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
)

const (
	// keptChanges is how many changes are kept, and namedObjects how many objects of each.
	keptChanges  = 50
	namedObjects = 10
	// listedFaulty is how many faulty objects a status lists, keptFaults how many faults of each are
	// kept, and listedRefused how many refused objects are listed.
	listedFaulty  = 20
	keptFaults    = 4
	listedRefused = 100
	// subscribers bounds those who follow changes at once.
	subscribers = 64
	// behind is how many changes a slow subscriber may miss before its oldest are dropped.
	behind = 16
)

// Recorder remembers what the agent's loop did. Its memory is bounded by constants and by the number
// of objects with faults. Its methods may be called from any goroutine.
type Recorder struct {
	mu      sync.Mutex
	started time.Time
	now     func() time.Time

	configuration Configuration
	// applies counts the applies that succeeded.
	applies uint64
	contact func() time.Time

	changes []Change // the oldest first
	last    uint64
	// open is the change that is not acknowledged as a whole yet; nil if there is none.
	open     *Change
	affected map[unit.Key]struct{}

	refused map[unit.Key]*Refusal
	faulty  map[unit.Key]*Faulty

	followers map[chan Change]struct{}
}

// NewRecorder returns a recorder without history.
func NewRecorder() *Recorder {
	return &Recorder{
		started: time.Now(), now: time.Now, affected: map[unit.Key]struct{}{},
		refused: map[unit.Key]*Refusal{}, faulty: map[unit.Key]*Faulty{}, followers: map[chan Change]struct{}{},
	}
}

// SetContact sets the function that returns when the cluster was last heard of.
func (r *Recorder) SetContact(contact func() time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.contact = contact
}

// Seen records changes of objects that affect the configuration. All that arrive until they are
// applied are one change. It returns the id of the change, which logs and traces have, too.
func (r *Recorder) Seen(changes []unit.Change, since time.Time) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		r.last++
		r.open = &Change{ID: r.last, Seen: since, Kinds: map[string]int{}}
		clear(r.affected)
	}
	r.configuration.Pending = true
	for _, c := range changes {
		r.open.Written = earliest(r.open.Written, watch.Written(c.Object))
		if _, known := r.affected[c.Key]; known {
			continue
		}
		r.affected[c.Key] = struct{}{}
		r.open.ObjectsTotal++
		r.open.Kinds[string(c.Key.Kind)]++
		if len(r.open.Objects) < namedObjects {
			r.open.Objects = append(r.open.Objects, ChangedObject{objectOf(c.Key), c.Object == nil})
		}
	}
	return r.last
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Applied records an apply that succeeded. rest is true if a part of the change is still to be sent.
func (r *Recorder) Applied(outcome gateway.Outcome, rest bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.applies++
	c := &r.configuration
	c.Failure, c.FullLoads, c.Pending = "", outcome.NoCompanion, rest
	c.Hash, c.Effective = outcome.Hash, outcome.Effective
	c.Entities = make(map[string]int, len(outcome.Entities))
	for typ, n := range outcome.Entities {
		if n > 0 {
			c.Entities[string(typ)] = n
		}
	}
	if outcome.Sent {
		c.Applied = now
	}
	r.keepRefusals(outcome.Refusals, now)
	r.advance(outcome, rest, now)
}

// advance adds an apply to the open change, and closes it once all of it was sent.
func (r *Recorder) advance(outcome gateway.Outcome, rest bool, now time.Time) {
	if r.open == nil {
		return
	}
	if outcome.Sent {
		r.open.Pieces++
		r.open.Bytes += outcome.Bytes
		r.open.Full = r.open.Full || !outcome.Delta
	}
	if rest {
		return
	}
	done := *r.open
	r.open = nil
	clear(r.affected)
	if done.Pieces == 0 { // Kong had it already, or refuses all of it
		return
	}
	done.Acknowledged, done.Hash, done.Refused = now, outcome.Hash, len(r.refused)
	if outcome.Effective {
		done.Effective = now
	}
	if len(r.changes) == keptChanges {
		r.changes = slices.Delete(r.changes, 0, 1)
	}
	r.changes = append(r.changes, done)
	r.tell(done)
}

// Failed records an apply that failed.
func (r *Recorder) Failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.configuration.Failure = unit.OneLine(err.Error())
}

// Effective records whether all workers use the configuration that Kong holds.
func (r *Recorder) Effective(all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	c := &r.configuration
	c.Effective = all
	if !all {
		if c.LaggingSince.IsZero() {
			c.LaggingSince = now
		}
		return
	}
	c.LaggingSince = time.Time{}
	for i := len(r.changes) - 1; i >= 0 && r.changes[i].Effective.IsZero(); i-- {
		r.changes[i].Effective = now
		r.tell(r.changes[i])
	}
}

// Current records that Kong had what the cluster held at a time.
func (r *Recorder) Current(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.configuration.Current = at
}

// Reported records the verdicts that the gateway reports on an object. gone means that the object no
// longer exists, or is not the gateway's.
func (r *Recorder) Reported(key unit.Key, verdicts []unit.Verdict, gone bool) {
	faults, more := faultsOf(verdicts)
	r.mu.Lock()
	defer r.mu.Unlock()
	if gone || len(faults) == 0 {
		delete(r.faulty, key)
		return
	}
	known := r.faulty[key]
	if known != nil && known.More == more && slices.Equal(known.Faults, faults) {
		return
	}
	r.faulty[key] = &Faulty{Object: objectOf(key), Since: r.now(), Faults: faults, More: more}
}

// faultsOf returns the first faults among verdicts, and the number of further ones.
func faultsOf(verdicts []unit.Verdict) (faults []Fault, more int) {
	for _, v := range verdicts {
		fault := Fault{Field: string(v.Field), Reason: v.Reason, Message: unit.OneLine(v.Message)}
		switch {
		case v.OK || slices.Contains(faults, fault):
		case len(faults) == keptFaults:
			more++
		default:
			faults = append(faults, fault)
		}
	}
	return faults, more
}

// keepRefusals replaces the refusals. Objects that were refused before keep the time of the first.
func (r *Recorder) keepRefusals(refusals []gateway.Refusal, now time.Time) {
	before := r.refused
	r.refused = make(map[unit.Key]*Refusal, len(refusals))
	for _, refusal := range refusals {
		of := r.refused[refusal.Object]
		if of == nil {
			of = &Refusal{Object: objectOf(refusal.Object), Kept: true, Since: now}
			if old := before[refusal.Object]; old != nil {
				of.Since = old.Since
			}
			r.refused[refusal.Object] = of
		}
		of.Kept = of.Kept && refusal.Kept
		for _, message := range refusal.Messages {
			if message = unit.OneLine(message); !slices.Contains(of.Messages, message) && len(of.Messages) < keptFaults {
				of.Messages = append(of.Messages, message)
			}
		}
	}
}

// applied returns the number of applies that succeeded.
func (r *Recorder) applied() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.applies
}

// fill copies the history into a status.
func (r *Recorder) fill(s *Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Gateway.Started = r.started
	s.Configuration = r.configuration
	s.Configuration.Entities = maps.Clone(r.configuration.Entities)
	if r.contact != nil {
		s.Configuration.LastContact = r.contact()
	}
	s.Changes = slices.Clone(r.changes)
	slices.Reverse(s.Changes)
	s.RefusedTotal, s.FaultsTotal = len(r.refused), len(r.faulty)
	s.Refused, s.Faults = []Refusal{}, []Faulty{}
	for _, refusal := range newest(r.refused, listedRefused, func(f *Refusal) time.Time { return f.Since }) {
		s.Refused = append(s.Refused, *refusal)
	}
	for _, faulty := range newest(r.faulty, listedFaulty, func(f *Faulty) time.Time { return f.Since }) {
		s.Faults = append(s.Faults, *faulty)
	}
}

// on returns what is wrong with an object, as of now.
func (r *Recorder) on(key unit.Key) (faulty *Faulty, refusal *Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.faulty[key], r.refused[key]
}

// newest returns the values with the latest times, the newest first, and equal ones by name.
func newest[T any](of map[unit.Key]T, most int, since func(T) time.Time) []T {
	keys := slices.SortedFunc(maps.Keys(of), func(a, b unit.Key) int {
		return cmp.Or(since(of[b]).Compare(since(of[a])), a.Compare(b))
	})
	values := make([]T, 0, min(most, len(keys)))
	for _, key := range keys[:min(most, len(keys))] {
		values = append(values, of[key])
	}
	return values
}

// follow returns a channel of changes as they are acknowledged and again when they are effective,
// and a function that ends it. ok is false if too many follow already. A reader that is slow misses
// the oldest.
func (r *Recorder) follow() (changes <-chan Change, end func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.followers) >= subscribers {
		return nil, nil, false
	}
	c := make(chan Change, behind)
	r.followers[c] = struct{}{}
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.followers, c)
	}, true
}

// tell sends a change to all followers without waiting.
func (r *Recorder) tell(change Change) {
	for c := range r.followers {
		select {
		case c <- change:
			continue
		default:
		}
		select {
		case <-c:
		default:
		}
		c <- change // only this goroutine sends, under the lock
	}
}
