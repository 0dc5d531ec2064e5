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

// Journal is a file with the units that are being sent to Kong, until every worker uses them.
// kube-sync may end with a worker that crashes over one of them. The next process then knows what
// not to send.
//
// Units that were being sent when a worker crashed are suspects. They are sent one by one, which
// takes milliseconds for each and costs one more worker. Of very many, one half is held back, and
// so on. The unit that is found is quarantined until it changes or its retry time comes. The file
// also holds the entities that Kong had of the suspects, so that they stay in place.
type Journal struct {
	path string
	record
	// read means that the ids of units are still the strings of the file.
	read bool
}

// record is the content of the file.
type record struct {
	// Sending was sent. It is unknown whether every worker uses it.
	Sending []suspect `json:",omitempty"`
	// Trying are the suspects to be sent next. The cause is one of them, or of Waiting.
	Trying []suspect `json:",omitempty"`
	// Waiting are the suspects that are held back until what is sent has succeeded. The last group
	// is the next.
	Waiting []suspects `json:",omitempty"`
	// Quarantined are held.
	Quarantined []suspect `json:",omitempty"`
}

// suspects are units that are sent together.
type suspects struct {
	Units []suspect
	// Certain means that the cause is in this group if all groups before it succeed.
	Certain bool `json:",omitempty"`
}

// suspect is a unit whose entities have a sum.
type suspect struct {
	Unit unit.ID
	Sum  string
	// Failures is how often it was the cause, and RetryAt until when it is held; zero means until
	// it changes.
	Failures int       `json:",omitempty"`
	RetryAt  time.Time `json:",omitzero"`
	// Object and Last are what Kong had of the unit before.
	Object unit.Key
	Last   []*kong.Entity `json:",omitempty"`
}

func (s suspect) same(other suspect) bool { return s.Unit == other.Unit && s.Sum == other.Sum }

// OpenJournal reads the file at a path. The units that were being sent become suspects. Without a
// path the journal is kept in memory. If the file cannot be read, OpenJournal returns an error and
// an empty journal.
func OpenJournal(path string, now time.Time) (*Journal, error) {
	l := &Journal{path: path}
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
		return l, fmt.Errorf("the journal of what was being sent to Kong cannot be read: %w", err)
	}
	l.read = true
	return l, l.crashed(now)
}

// identify replaces the strings of the file with the ids of units, once.
func (l *Journal) identify(units Units) {
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
	name(l.Quarantined)
	for _, group := range l.Waiting {
		name(group.Units)
	}
	for view := range units.Units() {
		for _, s := range named[view.ID.String()] {
			s.Unit = view.ID
		}
	}
}

func (l *Journal) save() error {
	if l.path == "" {
		return nil
	}
	if len(l.Sending)+len(l.Trying)+len(l.Waiting)+len(l.Quarantined) == 0 {
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

// maxCompared is the number of units up to which duplicates are avoided.
const maxCompared = 100

// begin notes the units that are sent, in addition to those whose result is unknown. Of units that
// are sent together with suspects, only the suspects are noted.
func (l *Journal) begin(sent []suspect) error {
	if len(l.Trying) > 0 {
		tried := slices.DeleteFunc(slices.Clone(sent), func(s suspect) bool { return !slices.ContainsFunc(l.Trying, s.same) })
		if len(tried) > 0 {
			sent = tried
		}
	}
	for _, s := range sent {
		if len(l.Sending) > maxCompared || !slices.ContainsFunc(l.Sending, s.same) {
			l.Sending = append(l.Sending, s)
		}
	}
	return l.save()
}

// abort forgets what was sent: no worker crashed over it.
func (l *Journal) abort() error {
	if len(l.Sending) == 0 {
		return nil
	}
	l.Sending = nil
	return l.save()
}

// passed notes that every worker uses what was sent. It returns the waiting units to be sent next.
func (l *Journal) passed(now time.Time) (next []unit.ID, err error) {
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
			l.quarantine(group.Units[0], now)
		default:
			l.split(group.Units)
			next = unitsOf(l.Trying)
		}
	}
	return next, l.save()
}

// crashed makes suspects of what was sent: a worker crashed over it.
func (l *Journal) crashed(now time.Time) error {
	if len(l.Sending) == 0 {
		return nil
	}
	l.noneCertain() // the cause is among those sent
	if l.Trying = nil; len(l.Sending) == 1 {
		l.quarantine(l.Sending[0], now)
	} else {
		l.split(l.Sending)
	}
	l.Sending = nil
	return l.save()
}

// noneCertain notes that the cause may not be in any of the waiting groups.
func (l *Journal) noneCertain() {
	for i := range l.Waiting {
		l.Waiting[i].Certain = false
	}
}

// maxOneByOne is the number of suspects up to which each is sent alone.
const maxOneByOne = 50

// split holds back units of which one is the cause, to be sent one by one. Of very many, one half
// is sent at once.
func (l *Journal) split(all []suspect) {
	if len(all) <= maxOneByOne {
		for i := range slices.Backward(all) {
			l.Waiting = append(l.Waiting, suspects{Units: slices.Clone(all[i : i+1]), Certain: i == len(all)-1})
		}
		return
	}
	middle := (len(all) + 1) / 2
	l.Waiting = append(l.Waiting, suspects{Units: slices.Clone(all[middle:]), Certain: true})
	l.Trying = slices.Clone(all[:middle])
}

// A quarantined unit is tried again, as the worker may have crashed for another cause, or the
// machine may have been too busy. The last retry is after 21 minutes.
const (
	firstRetry  = 10 * time.Second
	maxFailures = 8
)

// quarantine holds a suspect that was found to be the cause. Each failure doubles the time to its
// retry, up to the last.
func (l *Journal) quarantine(s suspect, now time.Time) {
	l.noneCertain() // the others may be fine
	l.Quarantined = slices.DeleteFunc(l.Quarantined, func(other suspect) bool {
		if s.same(other) {
			s.Failures = max(s.Failures, other.Failures)
		}
		return other.Unit == s.Unit
	})
	wait := firstRetry << s.Failures
	s.Failures++
	s.RetryAt = time.Time{}
	if s.Failures < maxFailures {
		s.RetryAt = now.Add(wait)
	}
	l.Quarantined = append(l.Quarantined, s)
}

// release drops quarantined units that were sent and have succeeded.
func (l *Journal) release(succeeded func(suspect) bool) error {
	before := len(l.Quarantined)
	l.Quarantined = slices.DeleteFunc(l.Quarantined, func(s suspect) bool { return slices.ContainsFunc(l.Sending, s.same) && succeeded(s) })
	if len(l.Quarantined) == before {
		return nil
	}
	return l.save()
}

// failures returns how often a unit was the cause.
func (l *Journal) failures(id unit.ID) int {
	for _, s := range l.Quarantined {
		if s.Unit == id {
			return s.Failures
		}
	}
	return 0
}

// forget drops the suspects that have changed.
func (l *Journal) forget(changed func(suspect) bool) error {
	before := len(l.held())
	l.Quarantined = slices.DeleteFunc(l.Quarantined, changed)
	if slices.ContainsFunc(l.Trying, changed) {
		l.noneCertain()
	}
	for i := range l.Waiting {
		if left := slices.DeleteFunc(l.Waiting[i].Units, changed); len(left) < len(l.Waiting[i].Units) {
			l.Waiting[i].Units = left
			l.noneCertain()
		}
	}
	l.Waiting = slices.DeleteFunc(l.Waiting, func(group suspects) bool { return len(group.Units) == 0 })
	if len(l.held()) == before {
		return nil
	}
	return l.save()
}

// held returns all units that are held, the quarantined ones first.
func (l *Journal) held() []suspect {
	all := slices.Clone(l.Quarantined)
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
