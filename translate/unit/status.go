package unit

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MostListed is how many sections a [Listing] status names: as many as there is room for in the
// status of a policy.
const MostListed = 16

// attachments are the objects that are attached to the sections of another one.
type attachments struct {
	counts map[string]int // by section
	first  []string       // sections, in order: MostListed at most
}

// counted are the numbers of objects, by section.
func (a *attachments) counted() map[string]int {
	if a == nil {
		return nil
	}
	return a.counts
}

// listed are the first sections, for others to keep.
func (a *attachments) listed() []string {
	if a == nil {
		return nil
	}
	return slices.Clone(a.first)
}

// add changes the number of objects at a section, and reports whether the first sections are
// others now.
func (a *attachments) add(section string, n int) (relisted bool) {
	before := a.counts[section]
	after := before + n
	if a.counts[section] = after; after == 0 {
		delete(a.counts, section)
	}
	if (before == 0) == (after == 0) {
		return false
	}
	at, found := slices.BinarySearch(a.first, section)
	switch {
	case at == MostListed:
		return false
	case !found:
		a.first = slices.Insert(a.first, at, section)
		a.first = a.first[:min(len(a.first), MostListed)]
	case len(a.counts) < MostListed:
		a.first = slices.Delete(a.first, at, at+1)
	default:
		a.first = slices.Delete(a.first, at, at+1)
		a.first = append(a.first, a.next())
	}
	return true
}

// next is the section that comes after the first ones, of which one has just gone.
func (a *attachments) next() (next string) {
	last := a.first[len(a.first)-1]
	for section := range a.counts {
		if section > last && (next == "" || section < next) {
			next = section
		}
	}
	return next
}

// Status is what a controller has to say in the status of one object. It is never
// modified.
type Status interface {
	// Counted is the status with the number of objects that are attached to each
	// section of the object.
	Counted(attached map[string]int) Status
	// Refused is the status when Kong does not take what the object says.
	Refused(message string) Status
	// Merge puts it into the place that it has in the status of an object, which may
	// hold what others wrote. It returns that whole status, and whether it differs
	// from the one that the object has.
	Merge(object Object, now Moment) (status any, differs bool)
	// Diagnostics returns the conditions that are not as they should be, one verdict for each
	// cause. It returns none for a status that follows from the verdicts on the object. What
	// only a running cluster decides, such as an address, is left out.
	Diagnostics() []Verdict
}

// Listing is a Status that names some of the sections to which objects are attached, and does not
// count these.
type Listing interface {
	Status
	// Listed is the status with the first sections, in order: [MostListed] at most.
	Listed(first []string) Status
}

// Judged is a Status that follows from the verdicts on the object.
type Judged interface {
	Status
	Judged(verdicts []Verdict) Status
}

// Moment is what of the time and place a status tells.
type Moment struct {
	Time metav1.Time
	// Addresses are those at which the gateway is reached: IP addresses or host names.
	Addresses []string
	// Denied says why the objects that the object is to own may not be written; empty if
	// they may.
	Denied string
}

// Section is a part of an object that others are attached to, such as a Gateway's
// listener.
type Section struct {
	Object Key
	Name   string
}
