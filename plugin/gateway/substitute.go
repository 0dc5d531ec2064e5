package gateway

import (
	"maps"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// substitution has another entity, or none, in the place of one that Kong refused.
type substitution struct {
	unit   unit.ID
	object unit.Key
	// source is the object that the entity itself is made of, such as a plugin's.
	source   unit.Key
	entity   *kong.Entity
	messages []string
	contest
}

// substitutions are by the entity that was refused. One stands as long as the unit has
// that very entity.
type substitutions map[kong.Ref]*substitution

// in gives a unit's entities with those replaced that Kong refused.
func (s substitutions) in(entities []*kong.Entity) []*kong.Entity {
	if len(s) == 0 || !slices.ContainsFunc(entities, s.has) {
		return entities
	}
	instead := map[kong.Ref]*kong.Entity{}
	for _, e := range entities {
		if s.has(e) {
			s.instead(e, instead)
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

// instead gives what is in the place of an entity that Kong refused: of what it refused in
// that place too, what is in the place of that.
func (s substitutions) instead(e *kong.Entity, all map[kong.Ref]*kong.Entity) {
	for _, other := range e.Instead {
		if s.has(other) {
			s.instead(other, all)
		} else {
			all[other.Ref] = other
		}
	}
}

func (s substitutions) has(e *kong.Entity) bool {
	refused := s[e.Ref]
	return refused != nil && refused.entity.Equal(e)
}

// release ends the substitutions of entities that are gone or different now, or whose rival is,
// and names the units of the latter.
func (s substitutions) release(units Units) (released []unit.ID) {
	kept := map[standing]bool{}
	offered := map[unit.ID]map[kong.Ref][]*kong.Entity{}
	for ref, refused := range s {
		of, ok := offered[refused.unit]
		if !ok {
			of = map[kong.Ref][]*kong.Entity{}
			if view, ok := units.View(refused.unit); ok {
				offer(of, view.Entities)
			}
			offered[refused.unit] = of
		}
		if !slices.ContainsFunc(of[ref], refused.entity.Equal) {
			delete(s, ref)
		} else if refused.over(units, kept) {
			delete(s, ref)
			released = append(released, refused.unit)
		}
	}
	return released
}

// offer notes entities, and those in the place of each.
func offer(all map[kong.Ref][]*kong.Entity, entities []*kong.Entity) {
	for _, e := range entities {
		all[e.Ref] = append(all[e.Ref], e)
		offer(all, e.Instead)
	}
}

// add substitutes the entities of a unit that a row is about; all that can be if it is
// about none. It tells whether there are any that were not yet.
func (s substitutions) add(id unit.ID, p *plan, row RefusedEntity) (added bool) {
	chosen := p.parts[id]
	entities := chosen.entities
	if row.Type != "" {
		entities = p.about(id, row)
	}
	for _, e := range entities {
		if e.Instead == nil {
			continue
		}
		refused := &substitution{unit: id, object: chosen.object, source: RefusedEntity{Tags: tagsOf(e)}.object(), entity: e}
		if e.Source.Kind != "" {
			refused.source = unit.Key{Kind: unit.Kind(e.Source.Kind), Namespace: e.Source.Namespace, Name: e.Source.Name}
		}
		for _, message := range row.Messages {
			if e.Secret {
				message = withoutValues(message)
			}
			refused.messages = append(refused.messages, describe(e.Type, e.Name, e.ID)+": "+message)
		}
		s[e.Ref] = refused
		added = true
	}
	return added
}

// of reports whether an entity of the unit is substituted.
func (s substitutions) of(id unit.ID) bool {
	for _, refused := range s {
		if refused.unit == id {
			return true
		}
	}
	return false
}

// units are those with an entity that is substituted.
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

// refusals are what there is to say about the substitutions.
func (s substitutions) refusals() []Refusal {
	byObject := map[unit.Key]*Refusal{}
	note := func(id unit.ID, object unit.Key, messages []string) {
		if byObject[object] == nil {
			byObject[object] = &Refusal{Unit: id, Object: object}
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

// unguarded tells whether what Kong acknowledged of a unit lacks an entity that the
// present version relies on. It is not to be fallen back to then.
func unguarded(last, present []*kong.Entity) bool {
	return slices.ContainsFunc(present, func(e *kong.Entity) bool {
		return len(e.Instead) > 0 && !slices.ContainsFunc(last, func(other *kong.Entity) bool { return other.Ref == e.Ref })
	})
}
