package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// What does not fit into Kong costs the namespace that has most there, and in it what is
// largest and newest.

// bulk is a unit that can be left out to make room.
type bulk struct {
	id      unit.ID
	size    int // of its entities, in bytes
	version uint64
}

// bulks lists the units of a plan that can be left out, those first that are to be. Without
// the units of cluster-wide objects, on which all others may rely, if there are others.
func (g *Gateway) bulks(p *plan, ids []unit.ID) []bulk {
	all, of := make([]bulk, 0, len(ids)), map[string]int{}
	for _, id := range ids {
		part := p.parts[id]
		size := sizeOf(part.entities)
		of[id.Namespace] += size
		if held := g.holds[id]; size > 0 && (held == nil || !held.dropped) {
			all = append(all, bulk{id, size, part.version})
		}
	}
	if shared := slices.DeleteFunc(slices.Clone(all), func(b bulk) bool { return b.id.Namespace == "" }); len(shared) > 0 {
		all = shared
	}
	slices.SortFunc(all, func(a, b bulk) int {
		return cmp.Or(cmp.Compare(of[b.id.Namespace], of[a.id.Namespace]), cmp.Compare(a.id.Namespace, b.id.Namespace),
			cmp.Compare(b.size, a.size), cmp.Compare(b.version, a.version), a.id.Compare(b.id))
	})
	return all
}

func sizeOf(entities []*kong.Entity) (size int) {
	for _, e := range entities {
		size += bytesOf(e)
	}
	return size
}

// bytesOf is how much of an entity Kong is sent.
func bytesOf(e *kong.Entity) int {
	if e.Type.Local() {
		return 0
	}
	return len(e.JSON)
}

// makeRoom takes units out of the next plan, which Kong has no room for: one at first, then
// an eighth of what the first namespace has, a quarter, and a half each time. What changed since the last
// acknowledged configuration goes first. It reports whether there was anything to take out.
func (g *Gateway) makeRoom(units Units, p *plan, proven bool, times int, words error) bool {
	candidates := p.ids
	if proven {
		changed := slices.DeleteFunc(slices.Clone(p.ids), func(id unit.ID) bool { return !g.changed(p, id) || p.kept[id] })
		if len(changed) > 0 {
			candidates = changed
		}
	}
	bulks, share := g.bulks(p, candidates), 0
	if times > 0 {
		for _, b := range bulks {
			if b.id.Namespace == bulks[0].id.Namespace {
				share += b.size
			}
		}
		share >>= max(1, 4-times)
	}
	for i, b := range bulks {
		if share -= b.size; i > 0 && share < 0 {
			break
		}
		g.leaveOut(units, p, b, words)
	}
	return len(bulks) > 0
}

// leaveOut holds a unit for which Kong has no room, until it changes, there is less else, or
// some time has passed.
func (g *Gateway) leaveOut(units Units, p *plan, b bulk, words error) (isNew bool) {
	message := fmt.Sprintf("%v; what the object makes, %d bytes, is left out, and the rest is applied", words, b.size)
	held, isNew := g.hold(units, p, b.id, RefusedEntity{Messages: []string{message}})
	held.room = max(1, g.size-sizeOf(g.applied[b.id].entities))
	held.until = g.now().Add(roomAfter)
	return isNew
}

// roomAfter is when it is looked again whether there is room, which others may have made:
// whoever wrote to the disk, or changed a setting.
const roomAfter = 10 * time.Minute

// roomier reports whether Kong has noticeably less than when the unit did not fit.
func (g *Gateway) roomier(held *hold) bool { return held.room > 0 && g.size < held.room-held.room/10 }
