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
	touched := map[string]*contender{} // slot → its holder before
	note := func(slot string) {
		if _, ok := touched[slot]; !ok {
			touched[slot] = g.holder(slot)
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

// settleSlot refreshes the other nodes with a claim to a slot if its holder
// changed. The node whose claims change is refreshed by its own translation.
func (g *Graph) settleSlot(n *node, slot string, before *contender) {
	after := g.holder(slot)
	if before == after || before == nil || after == nil {
		return
	}
	if before.node == after.node && before.claim.Object == after.claim.Object {
		return // the same holder, translated again
	}
	for _, c := range g.slots[slot] {
		if c.node != n {
			g.refresh(c.node)
		}
	}
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
