package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// part has the entities of one unit in a configuration.
type part struct {
	version  uint64
	object   unit.Key
	entities []*kong.Entity
}

// has reports whether the part has an equal entity.
func (p part) has(entity *kong.Entity) bool {
	return slices.ContainsFunc(p.entities, entity.Equal)
}

// plan is a configuration that can be sent, and the units that it comes from. It has the parents of
// all of its entities.
type plan struct {
	// ids are the units with a part, in the order of the graph.
	ids   []unit.ID
	parts map[unit.ID]part
	// kept are the units whose present version is held. Their part is the one that Kong last
	// acknowledged.
	kept map[unit.ID]bool
	// retained are the kept units that the graph no longer has.
	retained []unit.ID
	// orphans are the entities that are left out because a parent is missing.
	orphans []orphan
	refs    map[kong.Ref]struct{}
	// refsOf caches the entities of units that rows of a refusal are about.
	refsOf map[unit.ID]map[kong.Ref]*kong.Entity
	// size is the number of bytes of the entities; zero if it was not computed.
	size int
	// elsewhere reports whether units outside of the plan have an entity; nil if the plan has all
	// units.
	elsewhere func(kong.Ref) bool
}

// orphan is an entity that is left out because its parent is missing.
type orphan struct {
	id     unit.ID
	object unit.Key
	entity *kong.Entity
	parent kong.Ref
}

// newPlan chooses each unit's part of the configuration: its present entities, those that Kong last
// acknowledged if the unit is held, or none.
func newPlan(units Units, holds map[unit.ID]*hold, refused substitutions, applied map[unit.ID]part) *plan {
	p := &plan{
		ids:   make([]unit.ID, 0, len(applied)),
		parts: make(map[unit.ID]part, len(applied)),
		kept:  map[unit.ID]bool{},
		refs:  make(map[kong.Ref]struct{}, 8*len(applied)),
	}
	for view := range units.Units() {
		held, isHeld := holds[view.ID]
		last, isApplied := applied[view.ID]
		switch {
		case !isHeld:
			p.add(view.ID, part{view.Version, view.Object, refused.replace(view.Entities)})
		case isApplied && !held.dropped:
			p.kept[view.ID] = true
			p.add(view.ID, last)
		}
	}
	p.retain(holds, applied)
	p.prune()
	return p
}

func (p *plan) add(id unit.ID, chosen part) {
	p.ids = append(p.ids, id)
	p.parts[id] = chosen
	for _, e := range chosen.entities {
		p.refs[e.Ref] = struct{}{}
	}
}

// retain brings back units that kept parts depend on, and that the refused version no longer needs.
func (p *plan) retain(holds map[unit.ID]*hold, applied map[unit.ID]part) {
	if len(p.kept) == 0 {
		return
	}
	var owners map[kong.Ref]unit.ID
	for i := 0; i < len(p.ids); i++ {
		if !p.kept[p.ids[i]] {
			continue
		}
		for _, e := range p.parts[p.ids[i]].entities {
			for _, parent := range e.Parents {
				if p.has(parent) {
					continue
				}
				if owners == nil {
					owners = ownersOf(applied)
				}
				owner, known := owners[parent]
				_, present := p.parts[owner]
				if !known || present || holds[owner] != nil {
					continue
				}
				p.kept[owner] = true
				p.retained = append(p.retained, owner)
				p.add(owner, applied[owner])
			}
		}
	}
}

func ownersOf(parts map[unit.ID]part) map[kong.Ref]unit.ID {
	owners := make(map[kong.Ref]unit.ID, 8*len(parts))
	for id, part := range parts {
		for _, e := range part.entities {
			owners[e.Ref] = id
		}
	}
	return owners
}

// prune removes entities whose parents are missing, until there are none.
func (p *plan) prune() {
	for again := true; again; {
		again = false
		for _, id := range p.ids {
			chosen := p.parts[id]
			first := slices.IndexFunc(chosen.entities, func(e *kong.Entity) bool { return p.missing(e) != nil })
			if first < 0 {
				continue
			}
			again = true
			// The list belongs to the graph and must not be modified.
			left := slices.Clone(chosen.entities[:first])
			for _, e := range chosen.entities[first:] {
				if parent := p.missing(e); parent != nil {
					p.orphans = append(p.orphans, orphan{id, chosen.object, e, *parent})
					delete(p.refs, e.Ref)
				} else {
					left = append(left, e)
				}
			}
			chosen.entities = left
			p.parts[id] = chosen
		}
	}
}

// missing returns a parent of the entity that the plan does not have, or nil.
func (p *plan) missing(e *kong.Entity) *kong.Ref {
	for i := range e.Parents {
		if !p.has(e.Parents[i]) {
			return &e.Parents[i]
		}
	}
	return nil
}

// about returns the entities of a unit that a row is about. With many rows about one unit, each row
// costs one look-up.
func (p *plan) about(id unit.ID, row adminapi.RefusedEntity) []*kong.Entity {
	entities := p.parts[id].entities
	if row.ID == "" || row.Type == "" {
		return slices.DeleteFunc(slices.Clone(entities), func(e *kong.Entity) bool { return !row.About(e) })
	}
	if p.refsOf == nil {
		p.refsOf = map[unit.ID]map[kong.Ref]*kong.Entity{}
	}
	if p.refsOf[id] == nil {
		p.refsOf[id] = make(map[kong.Ref]*kong.Entity, len(entities))
		for _, e := range entities {
			p.refsOf[id][e.Ref] = e
		}
	}
	if e := p.refsOf[id][kong.Ref{Type: row.Type, ID: row.ID}]; e != nil {
		return []*kong.Entity{e}
	}
	return nil
}

// has reports whether the resulting configuration has an entity.
func (p *plan) has(ref kong.Ref) bool {
	_, ok := p.refs[ref]
	return ok || p.elsewhere != nil && p.elsewhere(ref)
}

// entities returns all entities in the order of the configuration. Equal entities of several units
// are listed once.
func (p *plan) entities() []*kong.Entity {
	all := make([]*kong.Entity, 0, len(p.refs))
	for _, id := range p.ids {
		all = append(all, p.parts[id].entities...)
	}
	return slices.CompactFunc(kong.Sorted(all), (*kong.Entity).Equal)
}

// relays returns the relays that Kong's services lead to.
func (p *plan) relays() []*kong.Entity {
	var all []*kong.Entity
	for _, id := range p.ids {
		for _, e := range p.parts[id].entities {
			if e.Type.Local() {
				all = append(all, e)
			}
		}
	}
	return all
}

// refusals returns what the configuration lacks, by unit, once Kong has acknowledged what is in
// applied.
func (p *plan) refusals(units Units, holds map[unit.ID]*hold, applied map[unit.ID]part) []Refusal {
	byUnit := map[unit.ID]*Refusal{}
	at := func(id unit.ID, object unit.Key) *Refusal {
		if byUnit[id] == nil {
			_, kept := applied[id]
			byUnit[id] = &Refusal{Unit: id, Object: object, Kept: kept && holds[id] != nil}
		}
		return byUnit[id]
	}
	for id, held := range holds {
		refusal := at(id, held.object)
		refusal.Reason = held.reason()
		refusal.Messages = append(refusal.Messages, held.messages...)
	}
	causes := p.causes(units, holds)
	for _, o := range p.orphans {
		refusal := at(o.id, o.object)
		refusal.Reason = cmp.Or(refusal.Reason, Dependent)
		refusal.Messages = appendNew(refusal.Messages, o.message(causes))
	}
	list := make([]Refusal, 0, len(byUnit))
	for _, refusal := range byUnit {
		list = append(list, *refusal)
	}
	slices.SortFunc(list, func(a, b Refusal) int { return a.Unit.Compare(b.Unit) })
	return list
}

// causes returns for each entity that is left out the object because of which it is.
func (p *plan) causes(units Units, holds map[unit.ID]*hold) map[kong.Ref]unit.Key {
	if len(p.orphans) == 0 {
		return nil
	}
	causes := map[kong.Ref]unit.Key{}
	for id, held := range holds {
		if view, ok := units.View(id); ok {
			for _, e := range view.Entities {
				causes[e.Ref] = held.object
			}
		}
	}
	// Orphans are listed after their parents.
	for _, o := range p.orphans {
		if object, ok := causes[o.parent]; ok {
			causes[o.entity.Ref] = object
		}
	}
	return causes
}

func (o orphan) message(causes map[kong.Ref]unit.Key) string {
	what := describe(o.entity.Type, o.entity.Name, o.entity.ID)
	object, ok := causes[o.parent]
	switch own := o.object.Namespace; {
	case ok && own != "" && object.Namespace != "" && object.Namespace != own:
		// Readers of one namespace may not be allowed to read the other.
		return fmt.Sprintf("%s is left out: it depends on an object outside of namespace %s, which Kong refused", what, own)
	case ok:
		return fmt.Sprintf("%s is left out: it depends on %v, which Kong refused", what, object)
	}
	return fmt.Sprintf("%s is left out: %s does not exist", what, describe(o.parent.Type, "", o.parent.ID))
}

// describe names an entity in a message: `route "shop.web.api..80"`.
func describe(typ kong.Type, name, id string) string {
	if name == "" {
		name = id
	}
	return fmt.Sprintf("%s %q", strings.TrimSuffix(string(typ), "s"), name)
}

func appendNew(list []string, text string) []string {
	const most = 20
	if len(list) >= most || slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}
