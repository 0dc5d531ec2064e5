package unit

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MostListed is the number of sections that a [Listing] status names: a policy's status has room
// for 16.
const MostListed = 16

// attachments counts the objects that are attached to the sections of an object.
type attachments struct {
	counts map[Section]int
	first  []Section // sections in order, at most MostListed
}

// counted returns the numbers of objects by the names of sections.
func (a *attachments) counted() map[string]int {
	if a == nil {
		return nil
	}
	byName := make(map[string]int, len(a.counts))
	for section, n := range a.counts {
		byName[section.Name] = n
	}
	return byName
}

// listed returns the targets of the first sections.
func (a *attachments) listed() (targets []Key) {
	if a == nil {
		return nil
	}
	for _, section := range a.first {
		targets = append(targets, section.Target)
	}
	return targets
}

// add changes the number of objects at a section and reports whether the first sections changed.
func (a *attachments) add(section Section, n int) (relisted bool) {
	before := a.counts[section]
	after := before + n
	if a.counts[section] = after; after == 0 {
		delete(a.counts, section)
	}
	if (before == 0) == (after == 0) {
		return false
	}
	at, found := slices.BinarySearchFunc(a.first, section, Section.compare)
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

// next returns the section that follows the first ones, of which one was just removed.
func (a *attachments) next() (next Section) {
	last := a.first[len(a.first)-1]
	for section := range a.counts {
		if section.compare(last) > 0 && (next == Section{} || section.compare(next) < 0) {
			next = section
		}
	}
	return next
}

// Status is what a controller writes into the status of one object. It is immutable.
type Status interface {
	// Counted returns the status with the number of objects attached to each section.
	Counted(attached map[string]int) Status
	// Refused returns the status of an object that Kong refuses.
	Refused(message string) Status
	// Merge returns the object's whole status with this one in its place, next to what other
	// controllers wrote, and whether that differs from the present one.
	Merge(object Object, now Moment) (status any, differs bool)
	// Diagnostics returns the conditions that are not as they should be, one verdict for each
	// cause. It returns nil for a status that follows from the verdicts on the object. It omits
	// what only a running cluster decides, such as an address.
	Diagnostics() []Verdict
}

// Listing is a Status that names some of the sections to which objects are attached, without
// counting the objects.
type Listing interface {
	Status
	// Listed returns the status with the first sections in order, at most [MostListed].
	Listed(first []Key) Status
}

// Judged is a Status that follows from the verdicts on its object.
type Judged interface {
	Status
	Judged(verdicts []Verdict) Status
}

// Moment is what a status depends on besides the translation.
type Moment struct {
	Time metav1.Time
	// Addresses are the IP addresses or host names of the gateway.
	Addresses []string
	// Denied says why the API server rejects the objects that the object owns; empty if it
	// accepts them.
	Denied string
}

// Section is a part of an object that others attach to, such as a Gateway's listener.
type Section struct {
	Object Key
	// Name is the name of the part, such as a listener's.
	Name string
	// Target is set if the object is a policy: it is the object that the policy applies to.
	Target Key
}

func (s Section) compare(other Section) int {
	return cmp.Or(strings.Compare(s.Name, other.Name), s.Target.Compare(other.Target))
}
