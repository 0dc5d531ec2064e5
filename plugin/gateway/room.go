package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// What does not fit into Kong is left out: the largest and newest units of the largest namespace.

// candidate is a unit that can be left out to make room.
type candidate struct {
	id      unit.ID
	size    int // of its entities, in bytes
	version uint64
}

// leaveOutCandidates returns the units of a plan that can be left out, in the order in which they
// are. Units of cluster-wide objects, on which all others may rely, are candidates only if there
// are no others.
func (g *Gateway) leaveOutCandidates(p *plan, ids []unit.ID) []candidate {
	all, of := make([]candidate, 0, len(ids)), map[string]int{}
	for _, id := range ids {
		part := p.parts[id]
		size := sizeOf(part.entities)
		of[id.Namespace] += size
		if held := g.holds[id]; size > 0 && (held == nil || !held.dropped) {
			all = append(all, candidate{id, size, part.version})
		}
	}
	if shared := slices.DeleteFunc(slices.Clone(all), func(b candidate) bool { return b.id.Namespace == "" }); len(shared) > 0 {
		all = shared
	}
	slices.SortFunc(all, func(a, b candidate) int {
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

// bytesOf returns the number of bytes that Kong is sent of an entity.
func bytesOf(e *kong.Entity) int {
	if e.Type.Local() {
		return 0
	}
	return len(e.JSON)
}

// makeRoom takes units out of the next plan: one at first, then an eighth, a quarter, and a half
// each time of what the first namespace has. Units that changed since the last acknowledged
// configuration go first. It reports whether there was anything to take out.
func (g *Gateway) makeRoom(units Units, p *plan, inSync bool, times int, cause error) bool {
	candidates := p.ids
	if inSync {
		changed := slices.DeleteFunc(slices.Clone(p.ids), func(id unit.ID) bool { return !g.changed(p, id) || p.kept[id] })
		if len(changed) > 0 {
			candidates = changed
		}
	}
	bulks, share := g.leaveOutCandidates(p, candidates), 0
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
		g.leaveOut(units, p, b, cause)
	}
	return len(bulks) > 0
}

// leaveOut holds a unit that Kong has no room for, until it changes, others need less, or some time
// has passed.
func (g *Gateway) leaveOut(units Units, p *plan, b candidate, cause error) (isNew bool) {
	message := fmt.Sprintf("%v; the %d bytes of this object are left out, and the rest is applied", cause, b.size)
	held, isNew := g.hold(units, p, b.id, adminapi.RefusedEntity{Messages: []string{message}})
	held.othersSize = max(1, g.size-sizeOf(g.applied[b.id].entities))
	held.retryAt = g.now().Add(retryRoomAfter)
	return isNew
}

// retryRoomAfter is how long a unit is left out before it is tried again, as something other than
// kube-sync may have filled the disk.
const retryRoomAfter = 10 * time.Minute

// hasMoreRoom reports whether Kong holds considerably less than when the unit did not fit.
func (g *Gateway) hasMoreRoom(held *hold) bool {
	return held.othersSize > 0 && g.size < held.othersSize-held.othersSize/10
}
