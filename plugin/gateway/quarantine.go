package gateway

import (
	"maps"
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// hold keeps one version of a unit out of the configuration.
type hold struct {
	version  uint64
	object   unit.Key
	messages []string
	// dropped means that Kong also refused what it last acknowledged of the unit.
	dropped bool
	conflict
	// othersSize is the number of bytes of all other units when this one did not fit; zero if the
	// unit is held for another reason.
	othersSize int
	// retryAt is when a unit is tried again although it did not change; zero if it is not.
	retryAt time.Time
	// failed means that Kong failed to process the unit.
	failed bool
	// suspected means that the hold is only for the journal.
	suspected bool
}

// reason returns why a unit is held.
func (h *hold) reason() Reason {
	switch {
	case h.othersSize > 0:
		return TooLarge
	case h.suspected, h.failed, !h.retryAt.IsZero():
		return Crashed
	case h.rival != (unit.ID{}):
		return Conflicting
	}
	return Invalid
}

// release ends the holds of units that may be accepted now, and returns the units.
func (g *Gateway) release(units Units) (released []unit.ID) {
	kept := map[blocker]bool{}
	for id, held := range g.holds {
		view, ok := units.View(id)
		switch {
		case !ok:
			// A unit that no longer exists is held only as long as it could be retained.
			if _, retainable := g.applied[id]; !retainable || !held.dropped {
				delete(g.holds, id)
				released = append(released, id)
			}
		case view.Version != held.version || held.resolved(units, kept) || g.hasMoreRoom(held):
			delete(g.holds, id)
			released = append(released, id)
		}
	}
	return released
}

// quarantine holds the units of refused entities. It returns the number of units that are newly
// held, or lost their last good version.
func (g *Gateway) quarantine(units Units, p *plan, refused []adminapi.RefusedEntity) int {
	index := p.index()
	index.rivals = g.rivalsOutside(p, index, refused)
	news := 0
	crashed := map[unit.ID]struct{}{}
	for _, row := range refused {
		owners := index.find(row)
		switch {
		case len(owners) == 0:
		case row.IsConflict():
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
		if row.Unanswered {
			maps.Copy(crashed, setOf(owners))
		}
	}
	for id := range crashed {
		g.recordCrash(units, id)
	}
	return news
}

// hold takes a unit's part out of the next plan: the present version first, then the last
// acknowledged one. isNew reports whether there was anything to take out.
func (g *Gateway) hold(units Units, p *plan, id unit.ID, row adminapi.RefusedEntity) (held *hold, isNew bool) {
	held = g.holds[id]
	chosen := p.parts[id]
	if held == nil {
		held = &hold{version: chosen.version, object: chosen.object}
		if view, ok := units.View(id); ok {
			held.version = view.Version
		}
		g.holds[id] = held
		isNew = true
		// Kong would refuse what the unit would fall back to as well.
		held.dropped = p.kept[id] || g.acknowledged(p, id, row) ||
			lacksProtection(g.applied[id].entities, chosen.entities)
	} else if p.kept[id] && !held.dropped {
		held.dropped = true
		isNew = true
	}
	held.failed = held.failed || row.Failed
	about := chosen.entities
	if row.Type != "" {
		about = p.about(id, row)
	}
	secret := slices.ContainsFunc(about, func(e *kong.Entity) bool { return e.Secret })
	for _, message := range row.Messages {
		if secret {
			message = adminapi.WithoutValues(message)
		}
		if row.Type != "" {
			message = describe(row.Type, row.Name, row.ID) + ": " + message
		}
		held.messages = appendNew(held.messages, message)
	}
	return held, isNew
}

// acknowledged reports whether Kong has acknowledged the entity of the row from this unit.
func (g *Gateway) acknowledged(p *plan, id unit.ID, row adminapi.RefusedEntity) bool {
	last, ok := g.applied[id]
	if !ok {
		return false
	}
	if about := p.about(id, row); len(about) > 0 {
		return last.has(about[0])
	}
	return last.version == p.parts[id].version
}

// changed reports whether a unit's part differs from the one that Kong acknowledged.
func (g *Gateway) changed(p *plan, id unit.ID) bool {
	last, ok := g.applied[id]
	return !ok || last.version != p.parts[id].version || len(last.entities) != len(p.parts[id].entities)
}

// index finds the units of a plan's entities.
type index struct {
	place        map[unit.ID]int // index in the plan
	byID, byName map[kong.Ref][]unit.ID
	byObject     map[unit.Key][]unit.ID
	byType       map[kong.Type][]unit.ID // of types that kube-sync does not know
	byField      map[uniqueField]map[string][]contender
	rivals       map[kong.Ref]rival // acknowledged units outside of the plan
	resolved     map[uniqueValue]struct{}
}

func (p *plan) index() *index {
	x := &index{
		place:    make(map[unit.ID]int, len(p.ids)),
		byID:     make(map[kong.Ref][]unit.ID, len(p.refs)),
		byName:   make(map[kong.Ref][]unit.ID, len(p.refs)),
		byObject: make(map[unit.Key][]unit.ID, len(p.ids)),
		byType:   map[kong.Type][]unit.ID{},
		byField:  map[uniqueField]map[string][]contender{},
		resolved: map[uniqueValue]struct{}{},
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

// find returns the units that a row is about: by the entity's id, by the object in its tags, or by
// its name; for a type that Kong does not have, all units with it. If several units have the
// entity, it returns the last one, as Kong reads that one last.
func (x *index) find(row adminapi.RefusedEntity) []unit.ID {
	if ids := x.byID[kong.Ref{Type: row.Type, ID: row.ID}]; len(ids) > 0 {
		return ids[len(ids)-1:]
	}
	if object := row.Object(); object.Name != "" && len(x.byObject[object]) > 0 {
		return x.byObject[object]
	}
	if slices.Contains(row.Messages, adminapi.UnknownField) && row.Type.Rank() == len(kong.Types) {
		return x.byType[row.Type] // Kong does not have the type
	}
	if row.Name == "" {
		return nil
	}
	ids := x.byName[kong.Ref{Type: row.Type, ID: row.Name}]
	return ids[max(0, len(ids)-1):]
}
