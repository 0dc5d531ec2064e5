package gateway

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// maxKeptBytes bounds the entities in the journal that Kong had before.
const maxKeptBytes = 4 << 20

// earlier is the version of what Kong had of a unit before this process.
const earlier = math.MaxUint64

// UseJournal makes the gateway note what it sends in a journal, and hold the units that the journal
// holds.
func (g *Gateway) UseJournal(l *Journal) { g.journal = l }

// noteSending notes that units of a plan are sent.
func (g *Gateway) noteSending(units Units, p *plan, ids []unit.ID) {
	var sent []suspect
	kept := 0
	for _, id := range g.inDependencyOrder(units, ids) {
		view, ok := units.View(id)
		if !ok || p.kept[id] {
			continue // removals cannot be held back, and Kong has accepted what is kept before
		}
		s := suspectOf(view)
		if last, ok := g.applied[id]; ok && kept < maxKeptBytes {
			s.Object, s.Last = last.object, last.entities
			kept += sizeOf(last.entities)
		}
		sent = append(sent, s)
	}
	g.warnJournal(g.journal.begin(sent))
}

func suspectOf(view unit.View) suspect {
	return suspect{Unit: view.ID, Object: view.Object, Sum: sumOf(view.Entities).String()}
}

// warnJournal logs that the journal cannot be written. The next process may then send what this one
// crashed over.
func (g *Gateway) warnJournal(err error) {
	if err != nil {
		g.log.Warn("The journal of what is sent to Kong cannot be written", "error", err)
	}
}

// noteResult notes the result of what was sent. Unanswered requests stay in the journal: kube-sync
// may end while it looks for the cause.
func (g *Gateway) noteResult(err error, effective bool) {
	switch {
	case unanswered(err):
	case errors.Is(err, adminapi.ErrBusy) && g.unclear > 0:
	case err != nil:
		g.warnJournal(g.journal.abort())
	case !effective:
		g.unclear = 0
	default:
		g.unclear = 0
		g.warnJournal(g.journal.release(func(s suspect) bool { return g.holds[s.Unit] == nil && !g.refused.replaces(s.Unit) }))
		before := len(g.journal.Quarantined)
		next, err := g.journal.passed(g.now())
		g.warnJournal(err)
		g.newlyQuarantined = g.newlyQuarantined || len(g.journal.Quarantined) > before
		for _, id := range next {
			delete(g.holds, id)
		}
		g.next = append(g.next, next...)
	}
}

// holdSuspects holds the journal's units as long as they have not changed.
func (g *Gateway) holdSuspects(units Units) {
	g.journal.identify(units)
	g.warnJournal(g.journal.forget(func(s suspect) bool {
		view, ok := units.View(s.Unit)
		return !ok || !suspectOf(view).same(s)
	}))
	for _, s := range g.journal.held() {
		view, _ := units.View(s.Unit)
		if g.refused.replaces(s.Unit) {
			continue // its refused entities are replaced
		}
		if _, known := g.applied[s.Unit]; !known && len(s.Last) > 0 && g.hash == "" {
			g.applied[s.Unit] = part{earlier, s.Object, s.Last}
		}
		held := g.holds[s.Unit]
		if held == nil {
			held = &hold{version: view.Version, object: view.Object, suspected: true, dropped: lacksProtection(g.applied[s.Unit].entities, view.Entities)}
			g.holds[s.Unit] = held
		}
		if held.suspected {
			held.messages = []string{s.message()}
		}
		held.retryAt = s.RetryAt
	}
}

// message tells the object's owner why it is held.
func (s suspect) message() string {
	switch {
	case s.Failures == 0:
		return "a worker of Kong crashed when this and other objects were sent to it; they are tried one by one"
	case s.RetryAt.IsZero():
		return fmt.Sprintf("a worker of Kong crashed or hung %d times when this object was sent to it; it is tried again when the object changes", s.Failures)
	}
	return fmt.Sprintf("a worker of Kong crashed or hung when this object was sent to it; it is tried again at %s, or when the object changes", s.RetryAt.UTC().Format(time.TimeOnly))
}

// recordCrash notes that a worker hung or crashed over a unit that was sent alone.
func (g *Gateway) recordCrash(units Units, id unit.ID) {
	view, ok := units.View(id)
	if !ok {
		return
	}
	s := suspectOf(view)
	if last, ok := g.applied[id]; ok {
		s.Object, s.Last = last.object, last.entities
	}
	if id.Namespace != "" {
		g.separated[id.Namespace] = g.now().Add(separatedFor)
	}
	g.journal.quarantine(s, g.now())
	g.warnJournal(g.journal.save())
	for _, s := range g.journal.Quarantined {
		if held := g.holds[id]; held != nil && s.Unit == id {
			held.retryAt = s.RetryAt
		}
	}
}

// rollBack makes suspects of what was sent last. A worker crashed over it, and Kong is back at its
// former configuration. So is the gateway.
func (g *Gateway) rollBack() {
	sent := slices.Clone(g.journal.Sending)
	if len(sent) == 0 {
		return
	}
	g.warnJournal(g.journal.crashed(g.now()))
	for _, s := range sent {
		delete(g.applied, s.Unit)
		if len(s.Last) > 0 {
			g.applied[s.Unit] = part{earlier, s.Object, s.Last}
		}
	}
	g.tally = nil
}

// dueRetries returns the units whose retry time has come. Each is sent alone.
func (g *Gateway) dueRetries() (ids []unit.ID) {
	now := g.now()
	if now.Before(g.nextRetry) {
		return nil
	}
	for _, s := range g.journal.Quarantined {
		if !s.RetryAt.IsZero() && now.After(s.RetryAt) && g.refused.replaces(s.Unit) {
			ids = append(ids, s.Unit)
		}
	}
	for id, held := range g.holds {
		if !held.retryAt.IsZero() && now.After(held.retryAt) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, unit.ID.Compare)
	return slices.Compact(ids)
}

// retryHeld sends the suspects that are next, each group alone, and one unit whose retry time has
// come. The next retry is in a later call, and if a worker crashed or hung over this one, some
// seconds later. Other changes come in between.
func (g *Gateway) retryHeld(ctx context.Context, units Units, outcome Outcome) (Outcome, error) {
	try := func(ids []unit.ID) error {
		var tried Outcome
		var err error
		if g.tally == nil {
			tried, err = g.applyAll(ctx, units)
		} else {
			tried, err = g.applyDelta(ctx, units, g.affected(setOf(ids), nil))
		}
		tried.Sent, tried.Left = tried.Sent || outcome.Sent, outcome.Left
		if err == nil {
			outcome = tried
		}
		return err
	}
	if !outcome.Effective && len(g.journal.Waiting) > 0 {
		g.awaitEffective(ctx)
	}
	for len(g.next) > 0 && g.tally != nil {
		next := g.next
		g.next = nil
		if err := try(next); err != nil {
			g.next = append(next, g.next...)
			return outcome, err
		}
	}
	due := g.dueRetries()
	if len(due) == 0 {
		return outcome, nil
	}
	id, before := due[0], g.journal.failures(due[0])
	delete(g.holds, id)
	g.refused.drop(id)
	err := try([]unit.ID{id})
	if g.journal.failures(id) > before {
		g.nextRetry = g.now().Add(firstRetry)
	}
	return outcome, err
}

// awaitEffective waits a moment until every worker uses what Kong holds.
func (g *Gateway) awaitEffective(ctx context.Context) {
	for until := time.Now().Add(effectiveWithin * time.Millisecond); time.Now().Before(until) && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		if state, err := g.quickState(ctx); err == nil && state.Effective && state.Hash == g.hash {
			g.noteResult(nil, true)
			return
		}
	}
}
