package gateway

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// uniqueField is a field of a type whose values are unique in Kong.
type uniqueField struct {
	typ  kong.Type
	name string
}

// uniqueValue is a value of a unique field, or an id, that several entities want.
type uniqueValue struct {
	uniqueField
	value string
}

// matches reports whether an entity has the value. It is false for an unknown value.
func (w uniqueValue) matches(e *kong.Entity) bool {
	return w.value != "" && e.Type == w.typ && valueOf(e, w.name) == w.value
}

// blocker is a unit that has a value wanted by other units.
type blocker struct {
	id     unit.ID
	wanted uniqueValue
}

// conflict is a unique value that a unit lost to a rival, and the rival's version at that time. The
// unit is tried again when the rival gives the value up. The zero value stands for no conflict.
type conflict struct {
	rival        unit.ID
	rivalVersion uint64
	wanted       uniqueValue
}

// resolved reports whether the value is free. kept caches whether a rival still has a value.
func (c *conflict) resolved(units Units, kept map[blocker]bool) bool {
	if c.rival == (unit.ID{}) {
		return false
	}
	view, ok := units.View(c.rival)
	if !ok || view.Version == c.rivalVersion {
		return !ok
	}
	key := blocker{c.rival, c.wanted}
	stands, known := kept[key]
	if !known {
		stands = slices.ContainsFunc(view.Entities, c.wanted.matches)
		kept[key] = stands
	}
	if stands {
		c.rivalVersion = view.Version
	}
	return !stands
}

// resolveConflict decides which unit keeps a contested value, and puts the other units on hold. It
// returns the number of units that are newly held or lost their last good version. If a plugin has a
// substitute, only the plugin is replaced, and the unit keeps its hosts and paths. Otherwise a wider
// route would take them over.
//
// Units that changed since the last acknowledged configuration yield. Kong blames the later entity in
// the configuration, even if it was applied long ago.
func (g *Gateway) resolveConflict(units Units, p *plan, x *index, row adminapi.RefusedEntity, owners []unit.ID) (news int) {
	wanted := uniqueValueOf(p, owners, row)
	if _, done := x.resolved[wanted]; done {
		return 0
	}
	contenders := contendersOf(p, owners, row)
	has := x.rivals[kong.Ref{Type: row.Type, ID: row.Rival}]
	winner, version := has.id, has.version
	if winner == (unit.ID{}) {
		x.resolved[wanted] = struct{}{}
		contenders = x.allContenders(p, row, wanted, contenders)
		winner = contenders[0].id
		if first := slices.IndexFunc(contenders, func(c contender) bool { return !g.changed(p, c.id) }); first >= 0 {
			winner = contenders[first].id
		}
		version = p.parts[winner].version
	}
	alone := !slices.ContainsFunc(contenders, func(c contender) bool { return c.id != winner })
	for _, c := range contenders {
		if c.id == winner && !alone {
			continue
		}
		lost := conflict{}
		if c.id != winner {
			lost = conflict{winner, version, wanted}
		}
		if g.giveUp(units, p, c, row, lost) {
			news++
		}
	}
	return news
}

// giveUp takes the entity that lost a conflict out of the next plan. It reports whether that changed
// anything.
func (g *Gateway) giveUp(units Units, p *plan, c contender, row adminapi.RefusedEntity, lost conflict) bool {
	if c.entity != nil && c.entity.Instead != nil && g.refused.add(c.id, p, c.row(row)) {
		g.refused[c.entity.Ref].conflict = lost
		return true
	}
	held, isNew := g.hold(units, p, c.id, c.row(row))
	if lost.rival != (unit.ID{}) {
		held.conflict = lost
	}
	return isNew
}

// uniqueValueOf returns the value that the row says is contested.
func uniqueValueOf(p *plan, owners []unit.ID, r adminapi.RefusedEntity) uniqueValue {
	wanted := uniqueValue{uniqueField: uniqueField{r.Type, r.ContestedField()}}
	for _, c := range contendersOf(p, owners, r) {
		if c.entity != nil {
			wanted.value = valueOf(c.entity, wanted.name)
		}
	}
	return wanted
}

// contender is a unit that wants a value, and the entity that wants it; nil if that is unknown.
type contender struct {
	id     unit.ID
	entity *kong.Entity
}

func contendersOf(p *plan, ids []unit.ID, row adminapi.RefusedEntity) (claims []contender) {
	for _, id := range ids {
		c := contender{id: id}
		if about := p.about(id, row); len(about) > 0 {
			c.entity = about[0]
		}
		claims = append(claims, c)
	}
	return claims
}

// row returns r with the id and name of the contender's entity.
func (c contender) row(r adminapi.RefusedEntity) adminapi.RefusedEntity {
	if c.entity != nil {
		r.ID, r.Name = c.entity.ID, c.entity.Name
	}
	return r
}

// rival is a unit at the version that Kong acknowledged.
type rival struct {
	id      unit.ID
	version uint64
}

// rivalsOutside maps each rival that rows name and the plan lacks to the acknowledged unit that
// contains it.
func (g *Gateway) rivalsOutside(p *plan, x *index, rows []adminapi.RefusedEntity) map[kong.Ref]rival {
	found := map[kong.Ref]rival{}
	for _, row := range rows {
		if ref := (kong.Ref{Type: row.Type, ID: row.Rival}); row.Rival != "" && len(x.byID[ref]) == 0 {
			found[ref] = rival{}
		}
	}
	if len(found) == 0 {
		return nil
	}
	for id, last := range g.applied {
		if _, ok := p.parts[id]; ok {
			continue
		}
		for _, e := range last.entities {
			if known, ok := found[e.Ref]; ok && (known.version == 0 || id.Compare(known.id) < 0) {
				found[e.Ref] = rival{id, last.version}
			}
		}
	}
	return found
}

// yieldingRivals returns units outside of a delta that hold a contested value in Kong, but give it up
// in their current version. The delta must include them.
func (g *Gateway) yieldingRivals(units Units, c *deltaPlan, rows []adminapi.RefusedEntity) (ids []unit.ID) {
	for ref, owner := range g.rivalsOutside(c.plan, c.plan.index(), rows) {
		view, _ := units.View(owner.id)
		has := slices.ContainsFunc(g.applied[owner.id].entities, func(e *kong.Entity) bool {
			return e.Ref == ref && !slices.ContainsFunc(view.Entities, e.Equal)
		})
		if has && g.holds[owner.id] == nil {
			ids = append(ids, owner.id)
		}
	}
	slices.SortFunc(ids, unit.ID.Compare)
	return slices.Compact(ids)
}

// allContenders returns all units that want a value, including the owners of the row's entity, in
// the order of the configuration.
func (x *index) allContenders(p *plan, row adminapi.RefusedEntity, wanted uniqueValue, owners []contender) []contender {
	named := adminapi.RefusedEntity{Type: row.Type, ID: row.Rival}
	all := append(owners, contendersOf(p, x.byID[kong.Ref{Type: row.Type, ID: row.Rival}], named)...)
	switch {
	case wanted.value == "":
	case wanted.name == adminapi.PrimaryKey:
		all = append(all, contendersOf(p, x.byID[kong.Ref{Type: row.Type, ID: wanted.value}], row)...)
	default:
		all = append(all, x.byValue(p, wanted.uniqueField)[wanted.value]...)
	}
	slices.SortFunc(all, func(a, b contender) int { return cmp.Or(cmp.Compare(x.place[a.id], x.place[b.id]), a.id.Compare(b.id)) })
	return slices.CompactFunc(all, func(a, b contender) bool { return a.id == b.id && (a.entity == b.entity || b.entity == nil) })
}

// byValue returns the units that have a value in a field, by value.
func (x *index) byValue(p *plan, of uniqueField) map[string][]contender {
	if found, ok := x.byField[of]; ok {
		return found
	}
	found := map[string][]contender{}
	for _, id := range p.ids {
		for _, e := range p.parts[id].entities {
			if e.Type != of.typ {
				continue
			}
			if value := valueOf(e, of.name); value != "" {
				found[value] = append(found[value], contender{id, e})
			}
		}
	}
	x.byField[of] = found
	return found
}

func valueOf(e *kong.Entity, name string) string {
	if name == adminapi.PrimaryKey {
		return e.ID
	}
	var fields map[string]json.RawMessage
	var value string
	if json.Unmarshal(e.JSON, &fields) != nil || json.Unmarshal(fields[name], &value) != nil {
		return ""
	}
	return value
}
