package unit

// agenda holds the nodes that are to be translated, by their level. The lowest come first, so that
// what a node uses is as it will be before the node is translated, and this happens once.
type agenda [deepest + 1][]*node

// deepest is the highest level. What is still deeper may be translated more often.
const deepest = 32

func (a *agenda) push(n *node) { a[n.level] = append(a[n.level], n) }

// pop takes a node off that is still to be translated; nil if there is none.
func (a *agenda) pop() *node {
	for level := 0; level < len(a); {
		last := len(a[level]) - 1
		if last < 0 {
			level++
			continue
		}
		n := a[level][last]
		a[level][last], a[level] = nil, a[level][:last]
		switch {
		case !n.dirty || n.gone:
		case n.level > level: // it has risen meanwhile
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
