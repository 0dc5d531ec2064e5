package gateway

import (
	"maps"
	"slices"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// substitution replaces a refused entity with other entities, or omits it.
type substitution struct {
	unit   unit.ID
	object unit.Key
	// source is the object that the entity itself is made from, such as a KongPlugin.
	source   unit.Key
	entity   *kong.Entity
	messages []string
	conflict
}

// substitutions are keyed by the refused entity. A substitution ends when the unit no longer has
// that exact entity.
type substitutions map[kong.Ref]*substitution

// replace returns a unit's entities with the refused ones replaced.
func (s substitutions) replace(entities []*kong.Entity) []*kong.Entity {
	if len(s) == 0 || !slices.ContainsFunc(entities, s.has) {
		return entities
	}
	instead := map[kong.Ref]*kong.Entity{}
	for _, e := range entities {
		if s.has(e) {
			s.addReplacements(e, instead)
		}
	}
	var left []*kong.Entity
	for _, e := range entities {
		if other, ok := instead[e.Ref]; ok {
			left = append(left, other)
			delete(instead, e.Ref)
		} else if !s.has(e) {
			left = append(left, e)
		}
	}
	for _, other := range instead {
		left = append(left, other)
	}
	return kong.Sorted(left)
}

// addReplacements collects in all the entities that replace e. A replacement that was refused too is
// itself replaced.
func (s substitutions) addReplacements(e *kong.Entity, all map[kong.Ref]*kong.Entity) {
	for _, other := range e.Instead {
		if s.has(other) {
			s.addReplacements(other, all)
		} else {
			all[other.Ref] = other
		}
	}
}

func (s substitutions) has(e *kong.Entity) bool {
	refused := s[e.Ref]
	return refused != nil && refused.entity.Equal(e)
}

// release ends the substitutions of entities that have changed or are gone, and of those whose
// conflict is resolved. It returns the units of the latter.
func (s substitutions) release(units Units) (released []unit.ID) {
	kept := map[blocker]bool{}
	offered := map[unit.ID]map[kong.Ref][]*kong.Entity{}
	for ref, refused := range s {
		of, ok := offered[refused.unit]
		if !ok {
			of = map[kong.Ref][]*kong.Entity{}
			if view, ok := units.View(refused.unit); ok {
				addOffered(of, view.Entities)
			}
			offered[refused.unit] = of
		}
		if !slices.ContainsFunc(of[ref], refused.entity.Equal) {
			delete(s, ref)
		} else if refused.resolved(units, kept) {
			delete(s, ref)
			released = append(released, refused.unit)
		}
	}
	return released
}

// addOffered adds entities, and the replacements of each.
func addOffered(all map[kong.Ref][]*kong.Entity, entities []*kong.Entity) {
	for _, e := range entities {
		all[e.Ref] = append(all[e.Ref], e)
		addOffered(all, e.Instead)
	}
}

// add records a substitution for each entity of the unit that the row is about. If the row names none,
// it does so for every entity that has a substitute. It reports whether it added any.
func (s substitutions) add(id unit.ID, p *plan, row adminapi.RefusedEntity) (added bool) {
	chosen := p.parts[id]
	entities := chosen.entities
	if row.Type != "" {
		entities = p.about(id, row)
	}
	for _, e := range entities {
		if e.Instead == nil {
			continue
		}
		refused := &substitution{unit: id, object: chosen.object, source: adminapi.RefusedEntity{Tags: tagsOf(e)}.Object(), entity: e}
		if e.Source.Kind != "" {
			refused.source = unit.Key{Kind: unit.Kind(e.Source.Kind), Namespace: e.Source.Namespace, Name: e.Source.Name}
		}
		for _, message := range row.Messages {
			if e.Secret {
				message = adminapi.WithoutValues(message)
			}
			refused.messages = append(refused.messages, describe(e.Type, e.Name, e.ID)+": "+message)
		}
		s[e.Ref] = refused
		added = true
	}
	return added
}

// replaces reports whether an entity of the unit is replaced.
func (s substitutions) replaces(id unit.ID) bool {
	for _, refused := range s {
		if refused.unit == id {
			return true
		}
	}
	return false
}

// units returns the units with a replaced entity.
func (s substitutions) units() map[unit.ID]struct{} {
	ids := map[unit.ID]struct{}{}
	for _, refused := range s {
		ids[refused.unit] = struct{}{}
	}
	return ids
}

// drop ends the substitutions of a unit.
func (s substitutions) drop(id unit.ID) {
	maps.DeleteFunc(s, func(_ kong.Ref, refused *substitution) bool { return refused.unit == id })
}

// refusals returns the refusals of the replaced entities.
func (s substitutions) refusals() []Refusal {
	byObject := map[unit.Key]*Refusal{}
	note := func(id unit.ID, object unit.Key, messages []string) {
		if byObject[object] == nil {
			byObject[object] = &Refusal{Unit: id, Object: object, Reason: Invalid}
		}
		for _, message := range messages {
			byObject[object].Messages = appendNew(byObject[object].Messages, message)
		}
	}
	for _, refused := range s {
		note(refused.unit, refused.object, refused.messages)
		if refused.source.Kind != "" && refused.source != refused.object {
			note(refused.unit, refused.source, refused.messages)
		}
	}
	list := make([]Refusal, 0, len(byObject))
	for _, refusal := range byObject {
		slices.Sort(refusal.Messages)
		list = append(list, *refusal)
	}
	return list
}

// lacksProtection reports whether the last acknowledged version of a unit lacks a protecting entity
// that the present version has. The unit must not fall back to that version.
func lacksProtection(last, present []*kong.Entity) bool {
	return slices.ContainsFunc(present, func(e *kong.Entity) bool {
		return len(e.Instead) > 0 && !slices.ContainsFunc(last, func(other *kong.Entity) bool { return other.Ref == e.Ref })
	})
}
