package unit

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
)

// translate runs the translation of one unit and replaces its fragment.
func (g *Graph) translate(n *node) {
	n.dirty, n.busy = false, true
	r := &Reader{graph: g, node: n}
	fragment := g.run(n, r)
	n.busy = false
	fragment.attached = r.attached.list

	g.setReads(n, r.reads.list)
	g.setLookups(n, r.lookups.list)
	g.setUses(n, r.uses.list)
	g.setEntrants(n, r.entrants.list)
	g.setSections(n, r.sections)
	old := n.fragment
	fragment = g.account(n, fragment)
	n.fragment = fragment
	g.markUsers(n, old, fragment)
	g.changed.Translated[n.id.Namespace]++
	g.setStatus(n, old, fragment)
	g.setClaims(n, fragment.Claims)
	g.markStale(n)
}

// run calls the role's function. A panic affects one unit only: it becomes a verdict on its
// object, and the unit has the role's OnPanic value.
func (g *Graph) run(n *node, r *Reader) (fragment Fragment) {
	role := g.roles[n.id.Role]
	defer func() {
		if cause := recover(); cause != nil {
			fragment = Fragment{Verdicts: []Verdict{Warning(n.object, "TranslationFailed",
				fmt.Sprintf("the translation of %s failed, and the object has no effect: %v", n.object, cause))}}
			if role.failed != nil {
				fragment.value = role.failed(n.id, n.object)
			}
		}
	}()
	return role.translate(n.id, n.object, r)
}

// drop removes a unit from the graph.
func (g *Graph) drop(n *node) {
	n.gone = true
	g.leaveNamespace(n)
	g.setReads(n, nil)
	g.setLookups(n, nil)
	g.setUses(n, nil)
	g.setEntrants(n, nil)
	g.setSections(n, 0)
	g.setClaims(n, nil)
	g.setStatus(n, n.fragment, Fragment{})
	n.fragment = Fragment{}
	g.refresh(n)
	delete(g.nodes, n.id)
}

// setReads replaces the keys that a node read.
func (g *Graph) setReads(n *node, reads []Key) {
	if slices.Equal(n.reads, reads) {
		return
	}
	for _, key := range n.reads {
		if g.readers[key.Kind].remove(key, n) {
			g.changed.Reads[key.Kind] = struct{}{}
		}
	}
	for _, key := range reads {
		if g.readers[key.Kind] == nil {
			g.readers[key.Kind] = multimap[Key, *node]{}
		}
		if g.readers[key.Kind].add(key, n) {
			g.changed.Reads[key.Kind] = struct{}{}
		}
	}
	n.reads = reads
}

// setUses replaces the units that a node uses.
func (g *Graph) setUses(n *node, uses []use) {
	if slices.Equal(n.uses, uses) {
		return
	}
	for _, used := range n.uses {
		if used.node.users.remove(used.part, n); len(used.node.users) == 0 {
			g.orphans = append(g.orphans, used.node)
		}
	}
	for _, used := range uses {
		if used.node.users == nil {
			used.node.users = multimap[any, *node]{}
		}
		used.node.users.add(used.part, n)
	}
	n.uses = uses
	n.rise()
}

// markUsers marks the users of the parts that differ between a unit's fragments.
func (g *Graph) markUsers(n *node, old, fragment Fragment) {
	for part, users := range n.users {
		if !reflect.DeepEqual(old.part(part), fragment.part(part)) {
			g.markAll(users)
		}
	}
}

// part returns the value of a part; nil is the unit's value.
func (f Fragment) part(part any) any {
	if part == nil {
		return f.value
	}
	return f.parts[part]
}

// setStatus records the objects whose status changes with a node's new fragment.
func (g *Graph) setStatus(n *node, old, fragment Fragment) {
	if !reflect.DeepEqual(old.Status, fragment.Status) || !reflect.DeepEqual(old.Objects, fragment.Objects) {
		g.changed.Objects[n.object] = struct{}{}
	}
	if slices.Equal(old.attached, fragment.attached) {
		return
	}
	for _, s := range old.attached {
		g.attach(s, -1)
	}
	for _, s := range fragment.attached {
		g.attach(s, 1)
	}
}

// attach changes the number of objects that are attached to a section.
func (g *Graph) attach(s Section, n int) {
	a := g.attached[s.Object]
	if a == nil {
		a = &attachments{counts: map[Section]int{}}
		g.attached[s.Object] = a
	}
	relisted := a.add(s, n)
	if len(a.counts) == 0 {
		delete(g.attached, s.Object)
	}
	if relisted || !g.lists(s.Object) {
		g.changed.Objects[s.Object] = struct{}{}
	}
}

// lists reports whether an object's status names only the first sections of its attachments.
func (g *Graph) lists(object Key) bool {
	n := g.source(object)
	if n == nil {
		return false
	}
	_, ok := n.fragment.Status.(Listing)
	return ok
}

// refresh derives a node's entities and verdicts and records what changed.
func (g *Graph) refresh(n *node) {
	entities, verdicts := n.fragment.Entities, n.fragment.Verdicts
	if len(n.claims) > 0 {
		entities, verdicts = slices.Clip(entities), slices.Clip(verdicts)
		g.visited += len(n.claims)
		for _, c := range n.claims {
			if !g.under(c.claim.Under) {
				continue
			}
			s := g.slots[c.claim.Slot]
			if c.claim.Ranked != nil {
				entities = append(entities, c.placed()...)
				if c.place.Shared() {
					verdicts = append(verdicts, c.claim.unordered())
				}
				if c.by != nil && c.claim.loses(c.by.claim) {
					verdicts = append(verdicts, c.claim.lostTo(c.by.claim))
				}
			} else if holder := g.holder(s); holder == c {
				if g.holdsAll(n, c.claim.While) {
					entities = append(entities, c.claim.Entities...)
				}
			} else if c.claim.loses(holder.claim) {
				verdicts = append(verdicts, c.claim.lostTo(holder.claim))
			}
		}
	}
	if n.budget.tight != "" {
		verdicts = append(slices.Clip(verdicts), Warning(n.object, "NamespaceTooLarge", n.budget.tight))
	}
	verdicts = fewer(verdicts)
	if !slices.EqualFunc(n.entities, entities, (*kong.Entity).Equal) {
		g.version++
		n.version = g.version
		if (len(n.entities) == 0) != (len(entities) == 0) && g.roles[n.id.Role].eachObject {
			g.changed.Objects[n.object] = struct{}{}
		}
		n.entities = entities
		g.changed.Units[n.id] = struct{}{}
	}
	if !slices.Equal(n.verdicts, verdicts) {
		g.setVerdicts(n, verdicts)
	}
}

// setVerdicts replaces a node's verdicts.
func (g *Graph) setVerdicts(n *node, verdicts []Verdict) {
	for _, v := range n.verdicts {
		g.changed.Objects[v.Object] = struct{}{}
		g.onOthers.remove(v.Object, n)
	}
	own := g.roles[n.id.Role].eachObject
	for _, v := range verdicts {
		g.changed.Objects[v.Object] = struct{}{}
		if !own || v.Object != n.object {
			g.onOthers.add(v.Object, n)
		}
	}
	n.verdicts = verdicts
}
