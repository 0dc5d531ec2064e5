package gateway

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// field is one of a type's, whose values Kong holds to be unique.
type field struct {
	typ  kong.Type
	name string
}

// group is what several entities want each for itself: a value of a field, or an id.
type group struct {
	field
	value string
}

// isOf reports whether an entity has what is wanted; none has what is not known.
func (w group) isOf(e *kong.Entity) bool {
	return w.value != "" && e.Type == w.typ && valueOf(e, w.name) == w.value
}

// standing is a unit in the way of those who want something.
type standing struct {
	id     unit.ID
	wanted group
}

// contest is what a unit lost to a rival: the unit that has what this one wanted for itself, and
// its version then. This one may be well when that one gives it up. The zero value is none.
type contest struct {
	rival        unit.ID
	rivalVersion uint64
	wanted       group
}

// over reports whether what was lost is free. What a rival has is looked up once for all that it
// is in the way of.
func (c *contest) over(units Units, kept map[standing]bool) bool {
	if c.rival == (unit.ID{}) {
		return false
	}
	view, ok := units.View(c.rival)
	if !ok || view.Version == c.rivalVersion {
		return !ok
	}
	key := standing{c.rival, c.wanted}
	stands, known := kept[key]
	if !known {
		stands = slices.ContainsFunc(view.Entities, c.wanted.isOf)
		kept[key] = stands
	}
	if stands {
		c.rivalVersion = view.Version
	}
	return !stands
}

// resolveConflict decides which of the units that want the same has it, holds the others, and tells
// how many are held now that were not, or had something left to fall back to. Of one that has
// something in the place of what it lost, such as a refusal for a plugin, all the rest stays: its
// hosts and paths are not left to whichever wider route there is.
//
// Those yield that came after the last acknowledged configuration: Kong names the one that
// stands later in the configuration, which may have been there for long.
func (g *Gateway) resolveConflict(units Units, p *plan, x *index, row RefusedEntity, owners []unit.ID) (news int) {
	wanted := row.group(p, owners)
	if _, done := x.resolved[wanted]; done {
		return 0
	}
	contenders := claimsOf(p, owners, row)
	has := x.rivals[kong.Ref{Type: row.Type, ID: row.Rival}]
	winner, version := has.id, has.version
	if winner == (unit.ID{}) {
		x.resolved[wanted] = struct{}{}
		contenders = x.contenders(p, row, wanted, contenders)
		winner = contenders[0].id
		if first := slices.IndexFunc(contenders, func(c claim) bool { return !g.changed(p, c.id) }); first >= 0 {
			winner = contenders[first].id
		}
		version = p.parts[winner].version
	}
	alone := !slices.ContainsFunc(contenders, func(c claim) bool { return c.id != winner })
	for _, c := range contenders {
		if c.id == winner && !alone {
			continue
		}
		lost := contest{}
		if c.id != winner {
			lost = contest{winner, version, wanted}
		}
		if g.giveUp(units, p, c, row, lost) {
			news++
		}
	}
	return news
}

// giveUp takes what a unit lost out of the next plan. It tells whether it was not yet.
func (g *Gateway) giveUp(units Units, p *plan, c claim, row RefusedEntity, lost contest) bool {
	if c.entity != nil && c.entity.Instead != nil && g.refused.add(c.id, p, c.row(row)) {
		g.refused[c.entity.Ref].contest = lost
		return true
	}
	held, isNew := g.hold(units, p, c.id, c.row(row))
	if lost.rival != (unit.ID{}) {
		held.contest = lost
	}
	return isNew
}

// group is what the row says is contested.
func (r RefusedEntity) group(p *plan, owners []unit.ID) group {
	wanted := group{field: r.contested()}
	for _, c := range claimsOf(p, owners, r) {
		if c.entity != nil {
			wanted.value = valueOf(c.entity, wanted.name)
		}
	}
	return wanted
}

// claim is a unit with the entity that wants what others want; nil if that is not known.
type claim struct {
	id     unit.ID
	entity *kong.Entity
}

func claimsOf(p *plan, ids []unit.ID, row RefusedEntity) (claims []claim) {
	for _, id := range ids {
		c := claim{id: id}
		if about := p.about(id, row); len(about) > 0 {
			c.entity = about[0]
		}
		claims = append(claims, c)
	}
	return claims
}

// row is the row about another one of those who want the same.
func (c claim) row(r RefusedEntity) RefusedEntity {
	if c.entity != nil {
		r.ID, r.Name = c.entity.ID, c.entity.Name
	}
	return r
}

// rival is a unit that Kong has acknowledged, at a version.
type rival struct {
	id      unit.ID
	version uint64
}

// rivals finds the units of those entities that rows say are in the way and that are not
// of the plan.
func (g *Gateway) rivals(p *plan, x *index, rows []RefusedEntity) map[kong.Ref]rival {
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

// yielding names the units that are not in a change and no longer have what Kong says is in
// the way of it: they are to be changed at once.
func (g *Gateway) yielding(units Units, c *change, rows []RefusedEntity) (ids []unit.ID) {
	for ref, owner := range g.rivals(c.plan, c.plan.index(), rows) {
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

// contenders lists all that want the same, the owners of the row's entity among them, in the
// order of the configuration.
func (x *index) contenders(p *plan, row RefusedEntity, wanted group, owners []claim) []claim {
	named := RefusedEntity{Type: row.Type, ID: row.Rival}
	all := append(owners, claimsOf(p, x.byID[kong.Ref{Type: row.Type, ID: row.Rival}], named)...)
	switch {
	case wanted.value == "":
	case wanted.name == primaryKey:
		all = append(all, claimsOf(p, x.byID[kong.Ref{Type: row.Type, ID: wanted.value}], row)...)
	default:
		all = append(all, x.having(p, wanted.field)[wanted.value]...)
	}
	slices.SortFunc(all, func(a, b claim) int { return cmp.Or(cmp.Compare(x.place[a.id], x.place[b.id]), a.id.Compare(b.id)) })
	return slices.CompactFunc(all, func(a, b claim) bool { return a.id == b.id && (a.entity == b.entity || b.entity == nil) })
}

// having lists those who have a value in a field, by the value.
func (x *index) having(p *plan, of field) map[string][]claim {
	if found, ok := x.byField[of]; ok {
		return found
	}
	found := map[string][]claim{}
	for _, id := range p.ids {
		for _, e := range p.parts[id].entities {
			if e.Type != of.typ {
				continue
			}
			if value := valueOf(e, of.name); value != "" {
				found[value] = append(found[value], claim{id, e})
			}
		}
	}
	x.byField[of] = found
	return found
}

func valueOf(e *kong.Entity, name string) string {
	if name == primaryKey {
		return e.ID
	}
	var fields map[string]json.RawMessage
	var value string
	if json.Unmarshal(e.JSON, &fields) != nil || json.Unmarshal(fields[name], &value) != nil {
		return ""
	}
	return value
}
