package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Ledger is a file with what is being sent to Kong, until every worker works by it. A worker
// that ends over it may be the one that kube-sync ends with; the kube-sync after it then
// knows what not to send.
//
// What was being sent when a worker ended is under suspicion, and is tried one unit after the
// other: that costs milliseconds for each, and one more worker. Of very many, half is held
// back, and again. The one that is left is guilty: it is held until it changes, or its time
// has come. The file holds what Kong had of the suspects before, so that it stays in place.
type Ledger struct {
	path string
	record
	// read tells that ids of units are as they are in the file.
	read bool
}

// record is the content of the file.
type record struct {
	// Sending was sent, and it is not known whether every worker works by it.
	Sending []suspect `json:",omitempty"`
	// Trying are suspects that are sent next: one of them is guilty, or one of those that wait.
	Trying []suspect `json:",omitempty"`
	// Waiting are suspects that are held back until what is sent is known to be well. The
	// last group is the next.
	Waiting []suspects `json:",omitempty"`
	// Guilty are held.
	Guilty []suspect `json:",omitempty"`
}

// suspects are units that are tried together.
type suspects struct {
	Units []suspect
	// Certain tells that one of them is guilty if all those tried before them are not.
	Certain bool `json:",omitempty"`
}

// suspect is a unit with the entities of a sum.
type suspect struct {
	Unit unit.ID
	Sum  string
	// Strikes is how often it was found guilty, and Until when it is held.
	Strikes int       `json:",omitempty"`
	Until   time.Time `json:",omitzero"`
	// Object and Last are what Kong had of the unit before.
	Object unit.Key
	Last   []*kong.Entity `json:",omitempty"`
}

func (s suspect) same(other suspect) bool { return s.Unit == other.Unit && s.Sum == other.Sum }

// OpenLedger reads the file at a path, and suspects what it has as being sent. Without a
// path the ledger is for one process. It returns an error if there is a file that it cannot
// read; the ledger is usable all the same.
func OpenLedger(path string, now time.Time) (*Ledger, error) {
	l := &Ledger{path: path}
	if path == "" {
		return l, nil
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &l.record)
	}
	if err != nil {
		l.record = record{}
		return l, fmt.Errorf("what was being sent to Kong is not known: %w", err)
	}
	l.read = true
	return l, l.condemn(now)
}

// identify finds the units by what the file calls them, once.
func (l *Ledger) identify(units Units) {
	if !l.read {
		return
	}
	l.read = false
	named := map[string][]*suspect{}
	name := func(all []suspect) {
		for i := range all {
			named[all[i].Unit.String()] = append(named[all[i].Unit.String()], &all[i])
		}
	}
	name(l.Sending)
	name(l.Trying)
	name(l.Guilty)
	for _, group := range l.Waiting {
		name(group.Units)
	}
	for view := range units.Units() {
		for _, s := range named[view.ID.String()] {
			s.Unit = view.ID
		}
	}
}

func (l *Ledger) save() error {
	if l.path == "" {
		return nil
	}
	if len(l.Sending)+len(l.Trying)+len(l.Waiting)+len(l.Guilty) == 0 {
		if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	content, err := json.Marshal(l.record)
	if err != nil {
		return err
	}
	if err := os.WriteFile(l.path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(l.path+".new", l.path)
}

// mostCompared is of how many units it matters that each is noted once.
const mostCompared = 100

// begin notes what is sent, beside what was and is not known to be well. Of units that are
// sent with suspects the latter alone are noted.
func (l *Ledger) begin(sent []suspect) error {
	if len(l.Trying) > 0 {
		tried := slices.DeleteFunc(slices.Clone(sent), func(s suspect) bool { return !slices.ContainsFunc(l.Trying, s.same) })
		if len(tried) > 0 {
			sent = tried
		}
	}
	for _, s := range sent {
		if len(l.Sending) > mostCompared || !slices.ContainsFunc(l.Sending, s.same) {
			l.Sending = append(l.Sending, s)
		}
	}
	return l.save()
}

// abort forgets what was sent: no worker ended over it.
func (l *Ledger) abort() error {
	if len(l.Sending) == 0 {
		return nil
	}
	l.Sending = nil
	return l.save()
}

// passed clears what was sent. It returns the units that may be sent next, of those that wait.
func (l *Ledger) passed(now time.Time) (next []unit.ID, err error) {
	if len(l.Sending)+len(l.Trying)+len(l.Waiting) == 0 {
		return nil, nil
	}
	l.Sending, l.Trying = nil, nil
	for len(next) == 0 && len(l.Waiting) > 0 {
		group := l.Waiting[len(l.Waiting)-1]
		l.Waiting = l.Waiting[:len(l.Waiting)-1]
		switch {
		case !group.Certain:
			next = unitsOf(group.Units)
		case len(group.Units) == 1:
			l.convict(group.Units[0], now)
		default:
			l.split(group.Units)
			next = unitsOf(l.Trying)
		}
	}
	return next, l.save()
}

// condemn suspects what was sent: a worker ended over it.
func (l *Ledger) condemn(now time.Time) error {
	if len(l.Sending) == 0 {
		return nil
	}
	l.doubt() // the fault is among those sent
	if l.Trying = nil; len(l.Sending) == 1 {
		l.convict(l.Sending[0], now)
	} else {
		l.split(l.Sending)
	}
	l.Sending = nil
	return l.save()
}

// doubt makes no suspect guilty for want of others: those may be what was to blame.
func (l *Ledger) doubt() {
	for i := range l.Waiting {
		l.Waiting[i].Certain = false
	}
}

// mostAlone is how many suspects are tried one after the other.
const mostAlone = 50

// split holds back those among which one is guilty, to be tried one after the other. Of very
// many, half is tried at once.
func (l *Ledger) split(all []suspect) {
	if len(all) <= mostAlone {
		for i := range slices.Backward(all) {
			l.Waiting = append(l.Waiting, suspects{Units: slices.Clone(all[i : i+1]), Certain: i == len(all)-1})
		}
		return
	}
	middle := (len(all) + 1) / 2
	l.Waiting = append(l.Waiting, suspects{Units: slices.Clone(all[middle:]), Certain: true})
	l.Trying = slices.Clone(all[:middle])
}

// Sentences: an innocent one may have been sent just as a worker ended for another cause, or
// to a machine without time for anything. The last trial is after 21 minutes.
const (
	firstSentence = 10 * time.Second
	mostStrikes   = 8
)

// convict makes a suspect guilty. Its time doubles with each strike, up to the last.
func (l *Ledger) convict(s suspect, now time.Time) {
	l.doubt() // the others need not be
	l.Guilty = slices.DeleteFunc(l.Guilty, func(other suspect) bool {
		if s.same(other) {
			s.Strikes = max(s.Strikes, other.Strikes)
		}
		return other.Unit == s.Unit
	})
	sentence := firstSentence << s.Strikes
	s.Strikes++
	s.Until = time.Time{}
	if s.Strikes < mostStrikes {
		s.Until = now.Add(sentence)
	}
	l.Guilty = append(l.Guilty, s)
}

// acquit drops the guilty of which it is true that nothing came of what was sent of them.
func (l *Ledger) acquit(innocent func(suspect) bool) error {
	before := len(l.Guilty)
	l.Guilty = slices.DeleteFunc(l.Guilty, func(s suspect) bool { return slices.ContainsFunc(l.Sending, s.same) && innocent(s) })
	if len(l.Guilty) == before {
		return nil
	}
	return l.save()
}

// strikes is how often a unit was found guilty.
func (l *Ledger) strikes(id unit.ID) int {
	for _, s := range l.Guilty {
		if s.Unit == id {
			return s.Strikes
		}
	}
	return 0
}

// forget drops those of which it is true that they are not what they were.
func (l *Ledger) forget(changed func(suspect) bool) error {
	before := len(l.held())
	l.Guilty = slices.DeleteFunc(l.Guilty, changed)
	if slices.ContainsFunc(l.Trying, changed) {
		l.doubt()
	}
	for i := range l.Waiting {
		if left := slices.DeleteFunc(l.Waiting[i].Units, changed); len(left) < len(l.Waiting[i].Units) {
			l.Waiting[i].Units = left
			l.doubt()
		}
	}
	l.Waiting = slices.DeleteFunc(l.Waiting, func(group suspects) bool { return len(group.Units) == 0 })
	if len(l.held()) == before {
		return nil
	}
	return l.save()
}

// held lists all that are held, the guilty first.
func (l *Ledger) held() []suspect {
	all := slices.Clone(l.Guilty)
	for _, group := range l.Waiting {
		all = append(all, group.Units...)
	}
	return all
}

func unitsOf(all []suspect) []unit.ID {
	ids := make([]unit.ID, len(all))
	for i := range all {
		ids[i] = all[i].Unit
	}
	return ids
}
