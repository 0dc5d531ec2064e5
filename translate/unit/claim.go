package unit

import "slices"

// contender is one claim of one node among the claims to a slot.
type contender struct {
	node  *node
	claim Claim
}

// setClaims replaces a node's claims and refreshes whoever wins or loses by it.
func (g *Graph) setClaims(n *node, claims []Claim) {
	if len(n.claims) == 0 && len(claims) == 0 {
		return
	}
	touched := map[string][]*contender{} // slot → its contenders before
	note := func(slot string) {
		if _, ok := touched[slot]; !ok {
			touched[slot] = slices.Clone(g.slots[slot])
		}
	}
	for _, c := range n.claims {
		note(c.claim.Slot)
		g.leave(c)
	}
	n.claims = nil
	for _, claim := range claims {
		note(claim.Slot)
		c := &contender{node: n, claim: claim}
		n.claims = append(n.claims, c)
		g.enter(c)
	}
	for slot, before := range touched {
		g.settleSlot(n, slot, before)
	}
}

// settleSlot refreshes the other nodes with a claim to a slot if its holder, or
// their place, changed. The node whose claims change is refreshed by its own
// translation.
func (g *Graph) settleSlot(n *node, slot string, before []*contender) {
	after := g.slots[slot]
	if len(before) == 0 || len(after) == 0 {
		return
	}
	was, is := before[0], after[0]
	ranked := is.claim.Ranked != nil
	if !ranked && (was == is || was.node == is.node && was.claim.Object == is.claim.Object) {
		return // the same holder, maybe translated again
	}
	for place, c := range after {
		if moved := place >= len(before) || before[place] != c; c.node != n && (moved || !ranked) {
			g.refresh(c.node)
		}
	}
}

// holdsAll tells whether a node holds slots.
func (g *Graph) holdsAll(n *node, slots []string) bool {
	for _, slot := range slots {
		if holder := g.holder(slot); holder == nil || holder.node != n {
			return false
		}
	}
	return true
}

func (g *Graph) holder(slot string) *contender {
	if contenders := g.slots[slot]; len(contenders) > 0 {
		return contenders[0]
	}
	return nil
}

// enter puts a contender behind all that come before it or are its equal.
func (g *Graph) enter(c *contender) {
	contenders := g.slots[c.claim.Slot]
	at := len(contenders)
	for at > 0 && c.claim.before(contenders[at-1].claim) {
		at--
	}
	g.slots[c.claim.Slot] = slices.Insert(contenders, at, c)
}

func (g *Graph) leave(c *contender) {
	contenders := g.slots[c.claim.Slot]
	at := slices.Index(contenders, c)
	contenders = slices.Delete(contenders, at, at+1)
	if len(contenders) == 0 {
		delete(g.slots, c.claim.Slot)
		return
	}
	g.slots[c.claim.Slot] = contenders
}
