package unit

import "fmt"

// add creates the node of a unit and marks it for translation.
func (g *Graph) add(id ID) *node {
	role, ok := g.roles[id.Role]
	if !ok {
		panic(fmt.Sprintf("no role %q is defined", id.Role))
	}
	n := &node{id: id, object: role.kind.Key(id.Namespace, id.Name)}
	g.nodes[id] = n
	g.mark(n)
	return n
}

func (g *Graph) mark(n *node) {
	if !n.dirty {
		n.dirty = true
		g.agenda.push(n)
	}
}

func (g *Graph) markAll(nodes map[*node]struct{}) {
	for n := range nodes {
		g.mark(n)
	}
}

// markStale marks a node whose entities or verdicts may have changed.
func (g *Graph) markStale(n *node) {
	if !n.stale {
		n.stale = true
		g.stale = append(g.stale, n)
	}
}

func (a *agenda) push(n *node) { a[n.level] = append(a[n.level], n) }

// pop removes and returns the next node to translate; nil if there is none.
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
		case n.level > level: // its level rose after it was queued
			a.push(n)
		default:
			return n
		}
	}
	return nil
}

// rise raises the level of a node above the nodes that it uses, and that of its users above it.
func (n *node) rise() {
	level := n.level
	for _, used := range n.uses {
		level = min(max(level, used.node.level+1), deepest)
	}
	if level == n.level {
		return
	}
	n.level = level
	for _, users := range n.users {
		for user := range users {
			if user.level <= n.level {
				user.rise()
			}
		}
	}
}
