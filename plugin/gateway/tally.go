package gateway

import (
	"crypto/md5" //nolint:gosec // not for security
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// tally summarizes the configuration that Kong holds, for deltas.
type tally struct {
	// refs counts the units that have an entity.
	refs map[kong.Ref]int
	// counts is the number of entities of each type.
	counts map[kong.Type]int
	sum    sum
	// orphaned are the units with entities that are left out because a parent is missing.
	orphaned map[unit.ID]struct{}
	// retained are the units that the graph no longer has, and held units need.
	retained map[unit.ID]struct{}
}

func newTally(p *plan) *tally {
	t := &tally{
		refs: make(map[kong.Ref]int, len(p.refs)), counts: map[kong.Type]int{},
		orphaned: map[unit.ID]struct{}{}, retained: setOf(p.retained),
	}
	for _, part := range p.parts {
		t.add(part)
		for _, e := range part.entities {
			if t.refs[e.Ref] == 1 {
				t.sum.add(e)
			}
		}
	}
	for _, o := range p.orphans {
		t.orphaned[o.id] = struct{}{}
	}
	return t
}

func (t *tally) add(p part) {
	for _, e := range p.entities {
		if t.refs[e.Ref]++; t.refs[e.Ref] == 1 {
			t.counts[e.Type]++
		}
	}
}

func (t *tally) remove(p part) {
	for _, e := range p.entities {
		if t.refs[e.Ref]--; t.refs[e.Ref] == 0 {
			t.counts[e.Type]--
			delete(t.refs, e.Ref)
		}
	}
}

// affected returns the units that a delta looks at: those that changed, those that were released,
// those whose missing parents may exist now, and those that may no longer be needed.
func (g *Gateway) affected(changed map[unit.ID]struct{}, released []unit.ID) []unit.ID {
	ids := slices.Clone(released)
	for _, set := range []map[unit.ID]struct{}{changed, g.tally.orphaned, g.tally.retained} {
		for id := range set {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, unit.ID.Compare)
	return slices.Compact(ids)
}

// commit notes that Kong holds the result of a delta.
func (g *Gateway) commit(c *deltaPlan, hash string) {
	t := g.tally
	g.undo = g.undoOf(c)
	for _, id := range c.ids {
		t.remove(g.applied[id])
		delete(g.applied, id)
		delete(t.orphaned, id)
		delete(t.retained, id)
		if g.backlog != nil {
			g.backlog.drop(id)
		}
	}
	for _, id := range c.plan.ids {
		t.add(c.plan.parts[id])
		g.applied[id] = c.plan.parts[id]
	}
	for _, o := range c.plan.orphans {
		t.orphaned[o.id] = struct{}{}
	}
	for _, id := range c.plan.retained {
		t.retained[id] = struct{}{}
	}
	t.sum = c.sum
	g.base, g.hash, g.size = g.hash, hash, g.size+c.size
}

func setOf(ids []unit.ID) map[unit.ID]struct{} {
	set := make(map[unit.ID]struct{}, len(ids))
	for _, id := range ids {
		set[id] = struct{}{}
	}
	return set
}

// hashOf returns the hash that Kong gives a body.
func hashOf(body []byte) string {
	sum := md5.Sum(body) //nolint:gosec // Kong's choice
	return hex.EncodeToString(sum[:])
}

// sum is a hash of a set of entities: the sum of their hashes. Changing one entity costs one hash.
// Kong keeps it with the configuration, so that a restarted kube-sync knows whether Kong has what
// it would send.
type sum struct{ high, low uint64 }

func sumOf(entities []*kong.Entity) sum {
	var s sum
	for _, e := range entities {
		s.add(e)
	}
	return s
}

func (s *sum) add(e *kong.Entity) {
	if e.Type.Local() { // Kong does not have it
		return
	}
	high, low := hashEntity(e)
	var carry uint64
	s.low, carry = bits.Add64(s.low, low, 0)
	s.high, _ = bits.Add64(s.high, high, carry)
}

func (s *sum) remove(e *kong.Entity) {
	if e.Type.Local() {
		return
	}
	high, low := hashEntity(e)
	var borrow uint64
	s.low, borrow = bits.Sub64(s.low, low, 0)
	s.high, _ = bits.Sub64(s.high, high, borrow)
}

func hashEntity(e *kong.Entity) (high, low uint64) {
	digest := md5.New() //nolint:gosec // see above
	digest.Write([]byte(e.Type))
	digest.Write(e.JSON)
	var out [md5.Size]byte
	digest.Sum(out[:0])
	return binary.BigEndian.Uint64(out[:8]), binary.BigEndian.Uint64(out[8:])
}

// String returns the sum in the form of Kong's own hashes. It is never the hash of a Kong without a
// configuration.
func (s sum) String() string {
	if s == (sum{}) {
		return fmt.Sprintf("%032x", 1)
	}
	return fmt.Sprintf("%016x%016x", s.high, s.low)
}
