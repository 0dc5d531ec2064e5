package unit

import "slices"

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

// attach changes the number of objects that are attached to a section.
func (g *Graph) attach(s Section, n int) {
	a := g.attached[s.Object]
	if a == nil {
		a = &attachments{counts: map[string]int{}}
		g.attached[s.Object] = a
	}
	relisted := a.add(s.Name, n)
	if len(a.counts) == 0 {
		delete(g.attached, s.Object)
	}
	if relisted || !g.lists(s.Object) {
		g.changed.Objects[s.Object] = struct{}{}
	}
}

// lists reports whether all that an object's status says of attachments are the first sections.
func (g *Graph) lists(object Key) bool {
	n := g.source(object)
	if n == nil {
		return false
	}
	_, ok := n.fragment.Status.(Listing)
	return ok
}
