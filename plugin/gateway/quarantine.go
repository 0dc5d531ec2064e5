package gateway

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// hold keeps one version of a unit out of the configuration.
type hold struct {
	version  uint64
	object   unit.Key
	messages []string
	// dropped says that what Kong acknowledged last of the unit was refused as well.
	dropped bool
	contest
	// room is how many bytes of other units Kong had when this one did not fit; zero if that
	// is not what is wrong.
	room int
	// until is when the unit is tried again that a worker hung or ended over; zero if it is
	// not before it changes.
	until time.Time
	// suspected is a unit of the ledger, of which nothing else is known.
	suspected bool
}

// release ends the holds of units that may be different now, and names them.
func (g *Gateway) release(units Units) (released []unit.ID) {
	kept := map[standing]bool{}
	for id, held := range g.holds {
		view, ok := units.View(id)
		switch {
		case !ok:
			// A unit that is gone stays held only while it could be retained.
			if _, retainable := g.applied[id]; !retainable || !held.dropped {
				delete(g.holds, id)
				released = append(released, id)
			}
		case view.Version != held.version || held.over(units, kept) || g.roomier(held):
			delete(g.holds, id)
			released = append(released, id)
		}
	}
	return released
}

// quarantine holds the units whose entities Kong complained about, and tells how
// many are held now that were not, or had something left to fall back to.
func (g *Gateway) quarantine(units Units, p *plan, refused []RefusedEntity) int {
	index := p.index()
	index.rivals = g.rivals(p, index, refused)
	news := 0
	accused := map[unit.ID]struct{}{}
	for _, row := range refused {
		owners := index.find(row)
		switch {
		case len(owners) == 0:
		case row.conflict():
			news += g.resolveConflict(units, p, index, row, owners)
		case g.refused.add(owners[0], p, row):
			news++
			owners = owners[:1]
		default:
			for _, id := range owners {
				if _, isNew := g.hold(units, p, id, row); isNew {
					news++
				}
			}
		}
		if row.Silent {
			maps.Copy(accused, setOf(owners))
		}
	}
	for id := range accused {
		g.convict(units, id)
	}
	return news
}

// hold takes a unit's part out of the next plan: the present version first, then
// the last acknowledged.
func (g *Gateway) hold(units Units, p *plan, id unit.ID, row RefusedEntity) (held *hold, isNew bool) {
	held = g.holds[id]
	chosen := p.parts[id]
	if held == nil {
		held = &hold{version: chosen.version, object: chosen.object}
		if view, ok := units.View(id); ok {
			held.version = view.Version
		}
		g.holds[id] = held
		isNew = true
		// Falling back to the same would be refused for the same.
		held.dropped = p.kept[id] || g.acknowledged(p, id, row) ||
			unguarded(g.applied[id].entities, chosen.entities)
	} else if p.kept[id] && !held.dropped {
		held.dropped = true
		isNew = true
	}
	about := chosen.entities
	if row.Type != "" {
		about = p.about(id, row)
	}
	secret := slices.ContainsFunc(about, func(e *kong.Entity) bool { return e.Secret })
	for _, message := range row.Messages {
		if secret {
			message = withoutValues(message)
		}
		if row.Type != "" {
			message = describe(row.Type, row.Name, row.ID) + ": " + message
		}
		held.messages = appendNew(held.messages, message)
	}
	return held, isNew
}

// acknowledged tells whether Kong has acknowledged from this unit the very entity
// that the row is about.
func (g *Gateway) acknowledged(p *plan, id unit.ID, row RefusedEntity) bool {
	last, ok := g.applied[id]
	if !ok {
		return false
	}
	if about := p.about(id, row); len(about) > 0 {
		return last.has(about[0])
	}
	return last.version == p.parts[id].version
}

// changed tells whether a unit's part is not the one that Kong acknowledged.
func (g *Gateway) changed(p *plan, id unit.ID) bool {
	last, ok := g.applied[id]
	return !ok || last.version != p.parts[id].version || len(last.entities) != len(p.parts[id].entities)
}

// about tells whether the row is about the entity.
func (r RefusedEntity) about(e *kong.Entity) bool {
	return r.Type == e.Type && (r.ID == e.ID || r.ID == "" && r.Name != "" && r.Name == e.Name)
}

// index finds the units that entities of a plan come from.
type index struct {
	place        map[unit.ID]int // in the order of the plan
	byID, byName map[kong.Ref][]unit.ID
	byObject     map[unit.Key][]unit.ID
	byType       map[kong.Type][]unit.ID // of types that only Kong knows
	byField      map[field]map[string][]claim
	rivals       map[kong.Ref]rival // the acknowledged units that are in the way of others
	resolved     map[group]struct{}
}

func (p *plan) index() *index {
	x := &index{
		place:    make(map[unit.ID]int, len(p.ids)),
		byID:     make(map[kong.Ref][]unit.ID, len(p.refs)),
		byName:   make(map[kong.Ref][]unit.ID, len(p.refs)),
		byObject: make(map[unit.Key][]unit.ID, len(p.ids)),
		byType:   map[kong.Type][]unit.ID{},
		byField:  map[field]map[string][]claim{},
		resolved: map[group]struct{}{},
	}
	for i, id := range p.ids {
		part := p.parts[id]
		x.place[id] = i
		x.byObject[part.object] = append(x.byObject[part.object], id)
		for _, e := range part.entities {
			x.byID[e.Ref] = append(x.byID[e.Ref], id)
			if of := x.byType[e.Type]; e.Type.Rank() == len(kong.Types) && (len(of) == 0 || of[len(of)-1] != id) {
				x.byType[e.Type] = append(of, id)
			}
			if e.Name != "" {
				name := kong.Ref{Type: e.Type, ID: e.Name}
				x.byName[name] = append(x.byName[name], id)
			}
		}
	}
	return x
}

// find gives the units that a row is about: by the entity's id, else by the object
// in its tags, else by its name, and all for a type that Kong does not have. The last one is
// the one that Kong read last.
func (x *index) find(row RefusedEntity) []unit.ID {
	if ids := x.byID[kong.Ref{Type: row.Type, ID: row.ID}]; len(ids) > 0 {
		return ids[len(ids)-1:]
	}
	if object := row.object(); object.Name != "" && len(x.byObject[object]) > 0 {
		return x.byObject[object]
	}
	if slices.Contains(row.Messages, unknownField) && row.Type.Rank() == len(kong.Types) {
		return x.byType[row.Type] // there is no such type
	}
	if row.Name == "" {
		return nil
	}
	ids := x.byName[kong.Ref{Type: row.Type, ID: row.Name}]
	return ids[max(0, len(ids)-1):]
}

// object reads the Kubernetes object from the entity's tags.
func (r RefusedEntity) object() unit.Key {
	var key unit.Key
	for _, tag := range r.Tags {
		if kind, ok := strings.CutPrefix(tag, "k8s-kind:"); ok {
			key.Kind = unit.Kind(kind)
		}
		if namespace, ok := strings.CutPrefix(tag, "k8s-namespace:"); ok {
			key.Namespace = namespace
		}
		if name, ok := strings.CutPrefix(tag, "k8s-name:"); ok {
			key.Name = name
		}
	}
	return key
}
