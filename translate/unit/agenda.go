package unit

// agenda holds the nodes that are to be translated, by their level. The lowest come first, so that
// what a node uses is as it will be before the node is translated, and this happens once.
type agenda struct {
	levels [][]*node
	lowest int // no level below has nodes
}

// deepest is the highest level. What is still deeper may be translated more often.
const deepest = 32

func (a *agenda) push(n *node) {
	for len(a.levels) <= n.level {
		a.levels = append(a.levels, nil)
	}
	a.levels[n.level] = append(a.levels[n.level], n)
	a.lowest = min(a.lowest, n.level)
}

// pop takes a node off that is still to be translated; nil if there is none.
func (a *agenda) pop() *node {
	for a.lowest < len(a.levels) {
		level := a.levels[a.lowest]
		if len(level) == 0 {
			a.lowest++
			continue
		}
		last := len(level) - 1
		n := level[last]
		level[last], a.levels[a.lowest] = nil, level[:last]
		switch {
		case !n.dirty || n.gone:
		case n.level > a.lowest: // it has risen meanwhile
			a.push(n)
		default:
			return n
		}
	}
	return nil
}

// rise lifts a node above those that it uses, and its users above it.
func (n *node) rise() {
	level := n.level
	for _, used := range n.uses {
		level = min(max(level, used.node.level+1), deepest)
	}
	if level == n.level {
		return
	}
	n.level = level
	lift := func(users map[*node]struct{}) {
		for user := range users {
			if user.level <= n.level {
				user.rise()
			}
		}
	}
	lift(n.users)
	for _, users := range n.parts {
		lift(users)
	}
}
