package unit

import (
	"iter"
	"maps"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
)

// View is what one unit currently has in the configuration.
type View struct {
	ID ID
	// Object is the object that the unit stands for, such as the Service of a backend.
	Object Key
	// Entities are the unit's own and those of the claims that it holds.
	Entities []*kong.Entity
	// Version changes with Entities and is never used twice.
	Version uint64
}

func (n *node) view() View {
	return View{ID: n.id, Object: n.object, Entities: n.entities, Version: n.version}
}

// Units yields all units that have entities, in the order of their ids.
func (g *Graph) Units() iter.Seq[View] {
	ids := make([]ID, 0, len(g.nodes))
	for id, n := range g.nodes {
		if len(n.entities) > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, ID.Compare)
	return func(yield func(View) bool) {
		for _, id := range ids {
			if !yield(g.nodes[id].view()) {
				return
			}
		}
	}
}

// View returns one unit; false if it has no entities.
func (g *Graph) View(id ID) (View, bool) {
	n := g.nodes[id]
	if n == nil || len(n.entities) == 0 {
		return View{}, false
	}
	return n.view(), true
}

// Source returns the unit of a source object, like View.
func (g *Graph) Source(key Key) (View, bool) {
	if n := g.source(key); n != nil {
		return g.View(n.id)
	}
	return View{}, false
}

// Object returns the current state of an object; nil if it does not exist.
func (g *Graph) Object(key Key) Object { return g.objects[key] }

// Reads returns the keys of a kind that units asked for, found or not, in order.
func (g *Graph) Reads(kind Kind) []Key {
	return slices.SortedFunc(maps.Keys(g.readers[kind]), Key.Compare)
}

// Verdicts returns all verdicts on an object, in a stable order.
func (g *Graph) Verdicts(key Key) []Verdict {
	var verdicts []Verdict
	if n := g.source(key); n != nil {
		verdicts = g.verdictsOf(n, key, verdicts)
	}
	for _, n := range slices.SortedFunc(maps.Keys(g.onOthers[key]), func(a, b *node) int { return a.id.Compare(b.id) }) {
		verdicts = g.verdictsOf(n, key, verdicts)
	}
	return distinct(verdicts)
}

// AllVerdicts yields the objects that have verdicts, with these.
func (g *Graph) AllVerdicts() iter.Seq2[Key, []Verdict] {
	objects := map[Key]struct{}{}
	for _, n := range g.nodes {
		for _, v := range n.verdicts {
			objects[v.Object] = struct{}{}
		}
	}
	return func(yield func(Key, []Verdict) bool) {
		for _, key := range slices.SortedFunc(maps.Keys(objects), Key.Compare) {
			if !yield(key, g.Verdicts(key)) {
				return
			}
		}
	}
}

func (g *Graph) verdictsOf(n *node, key Key, verdicts []Verdict) []Verdict {
	for _, v := range n.verdicts {
		if v.Object == key {
			v.Message = OneLine(v.Message)
			verdicts = append(verdicts, v)
		}
	}
	return verdicts
}

// distinct drops repeated verdicts: several units may return the same verdict on an object.
func distinct(verdicts []Verdict) []Verdict {
	if len(verdicts) < 2 {
		return verdicts
	}
	seen := make(map[Verdict]struct{}, len(verdicts))
	return slices.DeleteFunc(verdicts, func(v Verdict) bool {
		said := v.With(Fault{})
		_, known := seen[said]
		seen[said] = struct{}{}
		return known
	})
}

// Status returns the status to write for an object; nil if there is none.
func (g *Graph) Status(key Key) Status {
	n := g.source(key)
	if n == nil || n.fragment.Status == nil {
		return nil
	}
	status := n.fragment.Status
	if judged, ok := status.(Judged); ok {
		status = judged.Judged(g.Verdicts(key))
	}
	if n.budget.tight != "" {
		status = status.Refused(n.budget.tight)
	}
	if listing, ok := status.(Listing); ok {
		return listing.Listed(g.attached[key].listed())
	}
	return status.Counted(g.attached[key].counted())
}

// Owned returns the wanted states of the cluster's objects that an object owns.
func (g *Graph) Owned(key Key) []Object {
	n := g.source(key)
	if n == nil {
		return nil
	}
	return n.fragment.Objects
}

// Statuses yields the statuses of all objects that have one, in order.
func (g *Graph) Statuses() iter.Seq2[Key, Status] {
	var keys []Key
	for _, n := range g.nodes {
		if n.fragment.Status != nil {
			keys = append(keys, n.object)
		}
	}
	slices.SortFunc(keys, Key.Compare)
	return func(yield func(Key, Status) bool) {
		for _, key := range keys {
			if !yield(key, g.Status(key)) {
				return
			}
		}
	}
}
