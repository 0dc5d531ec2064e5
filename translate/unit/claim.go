package unit

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/routing"
)

// compare orders the contenders of one slot. No two are equal, so the order does not depend on
// that of the changes.
func (c *contender) compare(other *contender) int {
	return cmp.Or(
		c.claim.Since.Compare(other.claim.Since),
		c.claim.Object.Compare(other.claim.Object),
		c.node.id.Compare(other.node.id),
		cmp.Compare(c.ordinal, other.ordinal))
}

// find returns the index of a contender, or the index to insert it at.
func (s *slot) find(c *contender) int {
	at, _ := slices.BinarySearchFunc(s.contenders, c, (*contender).compare)
	return at
}

// setClaims replaces a node's claims. A claim that equals its predecessor keeps its place, so
// that a node that claims the same again costs the others nothing.
func (g *Graph) setClaims(n *node, claims []Claim) {
	old := n.claims
	n.claims = make([]*contender, len(claims))
	for i := range claims {
		if i < len(old) && old[i].claim.ranksLike(&claims[i]) {
			n.claims[i] = old[i]
			old[i].claim, old[i].entities = &claims[i], nil
		}
	}
	for i, c := range old {
		if i >= len(claims) || n.claims[i] != c {
			g.leave(c)
		}
	}
	for i := range claims {
		if n.claims[i] == nil {
			n.claims[i] = &contender{node: n, claim: &claims[i], ordinal: i}
			g.enter(n.claims[i])
		}
	}
	if len(claims) == 0 {
		n.claims = nil
	}
}

// ranksLike reports whether two claims of one node ask for the same slot with the same rank.
func (c *Claim) ranksLike(other *Claim) bool {
	return c.Slot == other.Slot && c.Since.Equal(other.Since) && c.Object == other.Object && c.Same == other.Same &&
		(c.Ranked == nil) == (other.Ranked == nil) && c.Under == other.Under && reflect.DeepEqual(c.Extent, other.Extent)
}

func (g *Graph) enter(c *contender) {
	s := g.slots[c.claim.Slot]
	if s == nil {
		s = &slot{}
		g.slots[c.claim.Slot] = s
	}
	g.touch(s)
	at := s.find(c)
	s.contenders = slices.Insert(s.contenders, at, c)
	s.moved = min(s.moved, at)
}

func (g *Graph) leave(c *contender) {
	s := g.slots[c.claim.Slot]
	g.touch(s)
	at := s.find(c)
	s.contenders = slices.Delete(s.contenders, at, at+1)
	s.moved = min(s.moved, at)
	if len(s.contenders) == 0 {
		delete(g.slots, c.claim.Slot)
	}
}

// touch records the state of a slot before an Update.
func (g *Graph) touch(s *slot) {
	if s.touched {
		return
	}
	s.touched, s.holder, s.moved = true, g.holder(s), len(s.contenders)
	g.touched = append(g.touched, s)
}

// settleSlots marks the nodes that win or lose because of an Update, or whose claims changed
// place. Each is refreshed once, whatever the number of its affected claims.
func (g *Graph) settleSlots() {
	var ranked []*slot
	for i := 0; i < len(g.touched); i++ { // the loop may touch more slots
		s := g.touched[i]
		if s.ranked() {
			ranked = append(ranked, s)
			continue
		}
		for _, c := range g.concerned(s) {
			g.markStale(c.node)
			g.touchUnder(c)
		}
	}
	for _, s := range ranked {
		g.arrange(s)
	}
	for _, s := range g.touched {
		s.touched, s.holder = false, nil
	}
	g.touched = nil
}

// touchUnder touches the slots of the node's ranked claims that are [Under] the slot of c.
func (g *Graph) touchUnder(c *contender) {
	for _, other := range c.node.claims {
		if other.claim.Ranked != nil && other.claim.Under.Slot == c.claim.Slot {
			s := g.slots[other.claim.Slot]
			g.touch(s)
			s.moved = min(s.moved, s.find(other))
		}
	}
}

func (s *slot) ranked() bool { return len(s.contenders) > 0 && s.contenders[0].claim.Ranked != nil }

// arrange places the claims to a slot, starting with the first one whose place may have changed,
// and marks the nodes whose claims changed place.
func (g *Graph) arrange(s *slot) {
	s.arrangement.Truncate(s.moved)
	g.placed += len(s.contenders) - s.arrangement.Len()
	for _, c := range s.contenders[s.arrangement.Len():] {
		var extent *routing.Extent
		if g.under(c.claim.Under) {
			extent = c.claim.Extent
		}
		standing := s.arrangement.Add(extent, c.claim.Object.Namespace)
		var by *contender
		if standing.By >= 0 {
			by = s.contenders[standing.By]
		}
		if c.place != standing.Place || c.by != by {
			c.place, c.by = standing.Place, by
			g.markStale(c.node)
		}
	}
}

// concerned returns the contenders of a touched slot if its holder changed. A node whose own
// claims changed is refreshed by its own translation.
func (g *Graph) concerned(s *slot) []*contender {
	if len(s.contenders) == 0 {
		return nil
	}
	was, is := s.holder, g.holder(s)
	if was == nil || was == is || is != nil && was.node == is.node && was.claim.Object == is.claim.Object && was.claim.Same == is.claim.Same {
		return nil // the same holder, possibly translated again
	}
	return s.contenders
}

// placed returns the entities of a ranked claim at its place.
func (c *contender) placed() []*kong.Entity {
	switch {
	case c.place == 0:
		return nil
	case c.place == c.claim.Extent.First():
		return c.claim.Entities
	case c.entities == nil || c.made != c.place:
		c.made, c.entities = c.place, c.claim.Ranked(c.place)
	}
	return c.entities
}

// holder returns the contender that holds a slot: the first one whose [Under] is satisfied. It
// may be nil.
func (g *Graph) holder(s *slot) *contender {
	for _, c := range s.contenders {
		if g.under(c.claim.Under) {
			return c
		}
	}
	return nil
}

// under reports whether the holder of the named slot asks for the required thing.
func (g *Graph) under(u Under) bool {
	if u == (Under{}) {
		return true
	}
	s := g.slots[u.Slot]
	return s != nil && s.contenders[0].claim.Same == u.Same
}

// holdsAll reports whether a node holds all the slots.
func (g *Graph) holdsAll(n *node, slots []Slot) bool {
	for _, name := range slots {
		if s := g.slots[name]; s == nil || s.contenders[0].node != n {
			return false
		}
	}
	return true
}
