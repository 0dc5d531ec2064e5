package difference

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Difference is what changes between two states.
type Difference struct {
	// Sentences say what changes for requests, ordered by object.
	Sentences []Sentence
	// Entities are the entities that differ, in the order of a configuration.
	Entities []Change
	// Found are the faults that objects get, and Solved those that they no longer have.
	Found, Solved []unit.Verdict
}

// Empty reports whether nothing changes.
func (d Difference) Empty() bool { return len(d.Entities)+len(d.Found)+len(d.Solved) == 0 }

// Sentence is one thing that changes.
type Sentence struct {
	// Object is the object that it is about; empty if it is about a host or about the gateway.
	Object unit.Key
	// Text continues the object's name: "moves /api from api-v1 to api-v2".
	Text string
	// Covers are the entities that the sentence is about.
	Covers []kong.Ref
}

// String returns the whole sentence.
func (s Sentence) String() string {
	if s.Object == (unit.Key{}) {
		return s.Text
	}
	return s.Object.String() + ": " + s.Text
}

// Change is an entity that differs.
type Change struct {
	Ref kong.Ref
	// Name is the entity's name, and Object the object that it is made of.
	Name   string
	Object unit.Key
	// Before and After are nil if the entity is added or removed.
	Before, After *kong.Entity
	// Fields are the names of the fields that differ in an entity that both states have.
	Fields []string
}

// Between returns what changes from one state to another.
func Between(before, after State) Difference {
	d := Difference{Entities: changes(before, after)}
	if len(d.Entities) > 0 {
		d.Sentences = newComparison(before, after, d.Entities).sentences()
	}
	d.Found, d.Solved = newFaults(before, after), newFaults(after, before)
	return d
}

func changes(before, after State) (all []Change) {
	for _, ref := range before.order {
		was := before.entities[ref]
		switch is, still := after.entities[ref]; {
		case !still:
			all = append(all, newChange(was, made{}))
		case !was.Equal(is.Entity):
			all = append(all, newChange(was, is))
		}
	}
	for _, ref := range after.order {
		if _, was := before.entities[ref]; !was {
			all = append(all, newChange(made{}, after.entities[ref]))
		}
	}
	slices.SortFunc(all, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Ref.Type.Rank(), b.Ref.Type.Rank()), cmp.Compare(a.Ref.Type, b.Ref.Type),
			cmp.Compare(a.Name, b.Name), a.Object.Compare(b.Object), cmp.Compare(a.Ref.ID, b.Ref.ID))
	})
	return all
}

func newChange(before, after made) Change {
	shown := after
	if shown.Entity == nil {
		shown = before
	}
	f := fieldsOf(shown.Entity)
	c := Change{Ref: shown.Ref, Name: cmp.Or(shown.Name, f.Username, f.CustomID), Object: objectOf(shown, f), Before: before.Entity, After: after.Entity}
	if before.Entity != nil && after.Entity != nil {
		c.Fields = differing(before.JSON, after.JSON)
	}
	return c
}

// differing returns the names of the fields in which two JSON objects differ.
func differing(a, b []byte) (names []string) {
	var before, after map[string]json.RawMessage
	if json.Unmarshal(a, &before) != nil || json.Unmarshal(b, &after) != nil {
		return nil
	}
	for name, value := range before {
		if other, ok := after[name]; !ok || !bytes.Equal(value, other) {
			names = append(names, name)
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// newFaults returns the faults of the second state that the first one does not have.
func newFaults(before, after State) (faults []unit.Verdict) {
	for _, key := range slices.SortedFunc(maps.Keys(after.found), unit.Key.Compare) {
		for _, v := range after.found[key] {
			if !slices.ContainsFunc(before.found[key], v.Says) {
				faults = append(faults, v)
			}
		}
	}
	return faults
}
