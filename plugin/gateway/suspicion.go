package gateway

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// mostKept is how many bytes of what Kong had before the ledger holds.
const mostKept = 4 << 20

// earlier is the version of what Kong had of a unit before this process.
const earlier = math.MaxUint64

// Remember makes the gateway note in a ledger what it sends, and hold what is held in it.
func (g *Gateway) Remember(l *Ledger) { g.ledger = l }

// begin notes that units of a plan are sent.
func (g *Gateway) begin(units Units, p *plan, ids []unit.ID) {
	var sent []suspect
	kept := 0
	for _, id := range g.inParts(units, ids) {
		view, ok := units.View(id)
		if !ok || p.kept[id] {
			continue // what goes cannot be held back, and what is kept was taken before
		}
		s := suspectOf(view)
		if last, ok := g.applied[id]; ok && kept < mostKept {
			s.Object, s.Last = last.object, last.entities
			kept += sizeOf(last.entities)
		}
		sent = append(sent, s)
	}
	g.noted(g.ledger.begin(sent))
}

func suspectOf(view unit.View) suspect {
	return suspect{Unit: view.ID, Object: view.Object, Sum: sumOf(view.Entities).String()}
}

// noted tells when the ledger cannot be written: the next process may not know then what
// not to send.
func (g *Gateway) noted(err error) {
	if err != nil {
		g.log.Warn("What is sent to Kong cannot be noted", "error", err)
	}
}

// sent notes what became of what was sent. What Kong did not answer about stays noted: the
// search for the one to blame may be what kube-sync ends over.
func (g *Gateway) sent(err error, effective bool) {
	switch {
	case silent(err):
	case errors.Is(err, ErrBusy) && g.unclear > 0:
	case err != nil:
		g.noted(g.ledger.abort())
	case !effective:
		g.unclear = 0
	default:
		g.unclear = 0
		g.noted(g.ledger.acquit(func(s suspect) bool { return g.holds[s.Unit] == nil && !g.refused.of(s.Unit) }))
		guilty := len(g.ledger.Guilty)
		next, err := g.ledger.passed(g.now())
		g.noted(err)
		g.convicted = g.convicted || len(g.ledger.Guilty) > guilty
		for _, id := range next {
			delete(g.holds, id)
		}
		g.next = append(g.next, next...)
	}
}

// recall holds the units of the ledger's suspects, as long as they make what they made then.
func (g *Gateway) recall(units Units) {
	g.ledger.identify(units)
	g.noted(g.ledger.forget(func(s suspect) bool {
		view, ok := units.View(s.Unit)
		return !ok || !suspectOf(view).same(s)
	}))
	for _, s := range g.ledger.held() {
		view, _ := units.View(s.Unit)
		if g.refused.of(s.Unit) {
			continue // others stand for what is wrong with it
		}
		if _, known := g.applied[s.Unit]; !known && len(s.Last) > 0 && g.hash == "" {
			g.applied[s.Unit] = part{earlier, s.Object, s.Last}
		}
		held := g.holds[s.Unit]
		if held == nil {
			held = &hold{version: view.Version, object: view.Object, suspected: true, dropped: unguarded(g.applied[s.Unit].entities, view.Entities)}
			g.holds[s.Unit] = held
		}
		if held.suspected {
			held.messages = []string{s.message()}
		}
		held.until = s.Until
	}
}

// message tells the object's owner why it is held.
func (s suspect) message() string {
	switch {
	case s.Strikes == 0:
		return "a worker of Kong ended when this and other objects were sent to it; they are tried one after the other"
	case s.Until.IsZero():
		return fmt.Sprintf("a worker of Kong ended or hung %d times when this was sent to it; change the object to have it tried again", s.Strikes)
	}
	return fmt.Sprintf("a worker of Kong ended or hung when this was sent to it; it is tried again at %s, or when the object changes", s.Until.UTC().Format(time.TimeOnly))
}

// convict notes that a worker hung or ended over a unit alone.
func (g *Gateway) convict(units Units, id unit.ID) {
	view, ok := units.View(id)
	if !ok {
		return
	}
	s := suspectOf(view)
	if last, ok := g.applied[id]; ok {
		s.Object, s.Last = last.object, last.entities
	}
	if id.Namespace != "" {
		g.accused[id.Namespace] = g.now().Add(accusedFor)
	}
	g.ledger.convict(s, g.now())
	g.noted(g.ledger.save())
	for _, s := range g.ledger.Guilty {
		if held := g.holds[id]; held != nil && s.Unit == id {
			held.until = s.Until
		}
	}
}

// condemn suspects what was sent last, because a worker ended over it and Kong is back at
// what it had before. So is the gateway.
func (g *Gateway) condemn() {
	sent := slices.Clone(g.ledger.Sending)
	if len(sent) == 0 {
		return
	}
	g.noted(g.ledger.condemn(g.now()))
	for _, s := range sent {
		delete(g.applied, s.Unit)
		if len(s.Last) > 0 {
			g.applied[s.Unit] = part{earlier, s.Object, s.Last}
		}
	}
	g.tally = nil
}

// due names the units whose time to be held, or to have others stand for what they make, is
// over. Each is to be sent alone.
func (g *Gateway) due() (ids []unit.ID) {
	now := g.now()
	if now.Before(g.nextTrial) {
		return nil
	}
	for _, s := range g.ledger.Guilty {
		if !s.Until.IsZero() && now.After(s.Until) && g.refused.of(s.Unit) {
			ids = append(ids, s.Unit)
		}
	}
	for id, held := range g.holds {
		if !held.until.IsZero() && now.After(held.until) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, unit.ID.Compare)
	return slices.Compact(ids)
}

// tryHeld applies the suspects that are next, as long as there are any, each alone, and one
// unit whose time to be held is over: another one has to wait for the next call, and if a
// worker ended or hung over this one, for some seconds. Other changes come in between.
func (g *Gateway) tryHeld(ctx context.Context, units Units, outcome Outcome) (Outcome, error) {
	try := func(ids []unit.ID) error {
		var tried Outcome
		var err error
		if g.tally == nil {
			tried, err = g.applyAll(ctx, units)
		} else {
			tried, err = g.applyDelta(ctx, units, g.concerned(setOf(ids), nil))
		}
		tried.Sent, tried.Left = tried.Sent || outcome.Sent, outcome.Left
		if err == nil {
			outcome = tried
		}
		return err
	}
	if !outcome.Effective && len(g.ledger.Waiting) > 0 {
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
	due := g.due()
	if len(due) == 0 {
		return outcome, nil
	}
	id, strikes := due[0], g.ledger.strikes(due[0])
	delete(g.holds, id)
	g.refused.drop(id)
	err := try([]unit.ID{id})
	if g.ledger.strikes(id) > strikes {
		g.nextTrial = g.now().Add(firstSentence)
	}
	return outcome, err
}

// awaitEffective waits a moment for all workers to work by what Kong holds.
func (g *Gateway) awaitEffective(ctx context.Context) {
	for until := time.Now().Add(effectiveWithin * time.Millisecond); time.Now().Before(until) && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		if state, err := g.peek(ctx); err == nil && state.Effective && state.Hash == g.hash {
			g.sent(nil, true)
			return
		}
	}
}
