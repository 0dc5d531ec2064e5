package unit

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
)

// key returns a comparable key that only equal entries of a node share. It does not allocate for
// one own point.
func (e Entry) key() entryKey {
	return entryKey{e.Contest, e.Side, e.Since.UnixNano(), strings.Join(e.Own, "\x00"), strings.Join(e.Above, "\x00")}
}

func (e *entrant) stays() bool { return e.settled && e.by == nil && !e.gone }

// compare orders entrants. No two of one contest are equal.
func (e *entrant) compare(other *entrant) int {
	if by := e.Since.Compare(other.Since); by != 0 {
		return by
	}
	a, b := e.node.object, other.node.object
	if a.Namespace != b.Namespace {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	}
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(e.Contest.Name, other.Contest.Name), cmp.Compare(e.Contest.Namespace, other.Contest.Namespace))
}

// Enter reports whether the unit's entry stays, and otherwise the object whose entry displaces
// it. The entries of a unit must not depend on the answer.
func (r *Reader) Enter(entry Entry) (stays bool, by Key) {
	key := entry.key()
	e := r.entrants.entered[key]
	if e == nil {
		if e = r.before(key); e != nil {
			e.assumed = e.by
		} else {
			e = &entrant{Entry: entry, node: r.node}
			e.assumed = r.graph.contests.against(e)
		}
		r.entrants.add(key, e)
	}
	if e.assumed == nil {
		return true, Key{}
	}
	return false, e.assumed.node.object
}

// before returns the node's previous entry with the key; nil if there was none.
func (r *Reader) before(key entryKey) *entrant {
	if r.entrants.before == nil {
		r.entrants.before = make(map[entryKey]*entrant, len(r.node.entrants))
		for _, e := range r.node.entrants {
			r.entrants.before[e.key()] = e
		}
	}
	return r.entrants.before[key]
}

func (e *entries) add(key entryKey, another *entrant) {
	if e.entered == nil {
		e.entered = map[entryKey]*entrant{}
	}
	e.entered[key] = another
	e.list = append(e.list, another)
}

// setEntrants replaces a node's entries. Unchanged entries cost the others nothing.
func (g *Graph) setEntrants(n *node, are []*entrant) {
	for _, e := range are {
		e.kept = true
	}
	for _, e := range n.entrants {
		if !e.kept {
			g.contests.leave(e)
		}
	}
	for _, e := range are {
		if e.kept = false; !e.entered {
			g.contests.enter(e)
		}
		g.contests.recheck = append(g.contests.recheck, e)
	}
	n.entrants = slices.Clip(are)
}

// settleContests decides the contests and reports whether some unit has to be translated again.
func (g *Graph) settleContests() (again bool) {
	c := &g.contests
	for c.queue.Len() > 0 {
		e := heap.Pop(&c.queue).(*entrant)
		if e.queued = false; !e.gone {
			c.settle(e)
		}
	}
	for _, e := range c.recheck {
		if !e.gone && e.assumed != e.by {
			g.mark(e.node)
			again = true
		}
	}
	c.recheck = nil
	return again
}

// settle decides whether an entrant stays, when all older ones are settled, and queues the
// younger ones that this affects.
func (c *contests) settle(e *entrant) {
	stayed, by := e.stays(), c.against(e)
	if e.settled && e.by == by {
		return
	}
	e.settled, e.by = true, by
	c.recheck = append(c.recheck, e)
	if stays := e.by == nil; stays != stayed {
		c.upset(e, stays)
	}
}

// upset queues the younger rivals of an entrant that newly stays or no longer stays.
func (c *contests) upset(e *entrant, stays bool) {
	for rivals := range c.rivals(e) {
		at, _ := slices.BinarySearchFunc(rivals, e, (*entrant).compare)
		for _, rival := range rivals[at:] {
			if rival.by == e || stays && (rival.by == nil || rival.by.compare(e) > 0) {
				c.push(rival)
			}
		}
	}
}

// against returns the oldest entrant that stays and displaces e; nil if there is none.
func (c *contests) against(e *entrant) (by *entrant) {
	for rivals := range c.rivals(e) {
		for _, rival := range rivals {
			if rival.compare(e) >= 0 || by != nil && rival.compare(by) >= 0 {
				break
			}
			if rival.stays() {
				by = rival
				break
			}
		}
	}
	return by
}

// rivals yields the lists of entrants of other sides that e meets.
func (c *contests) rivals(e *entrant) func(yield func([]*entrant) bool) {
	return func(yield func([]*entrant) bool) {
		for side := range c.sides[e.Contest] {
			if side == e.Side {
				continue
			}
			for _, name := range e.Own {
				p := c.points[pointKey{e.Contest, name, side}]
				if p != nil && (!yield(p.own) || !yield(p.within)) {
					return
				}
			}
			for _, name := range e.Above {
				if p := c.points[pointKey{e.Contest, name, side}]; p != nil && !yield(p.own) {
					return
				}
			}
		}
	}
}

func (c *contests) push(e *entrant) {
	if !e.queued {
		e.queued = true
		heap.Push(&c.queue, e)
	}
}

func (c *contests) enter(e *entrant) {
	e.entered = true
	if c.points == nil {
		c.points, c.sides = map[pointKey]*point{}, map[Contest]map[string]int{}
	}
	if c.sides[e.Contest] == nil {
		c.sides[e.Contest] = map[string]int{}
	}
	c.sides[e.Contest][e.Side]++
	c.updatePoints(e, inserted)
	c.push(e)
}

// updatePoints applies a function to the lists of an entrant's points.
func (c *contests) updatePoints(e *entrant, change func([]*entrant, *entrant) []*entrant) {
	of := func(names []string, list func(*point) *[]*entrant) {
		for _, name := range names {
			key := pointKey{e.Contest, name, e.Side}
			p := c.points[key]
			if p == nil {
				p = &point{}
				c.points[key] = p
			}
			all := list(p)
			if *all = change(*all, e); len(p.own)+len(p.within) == 0 {
				delete(c.points, key)
			}
		}
	}
	of(e.Own, func(p *point) *[]*entrant { return &p.own })
	of(e.Above, func(p *point) *[]*entrant { return &p.within })
}

func (c *contests) leave(e *entrant) {
	if stayed := e.stays(); stayed {
		c.upset(e, false)
	}
	e.gone = true
	c.updatePoints(e, deleted)
	sides := c.sides[e.Contest]
	if sides[e.Side]--; sides[e.Side] == 0 {
		delete(sides, e.Side)
	}
	if len(sides) == 0 {
		delete(c.sides, e.Contest)
	}
}

func inserted(all []*entrant, e *entrant) []*entrant {
	at, _ := slices.BinarySearchFunc(all, e, (*entrant).compare)
	return slices.Insert(all, at, e)
}

func deleted(all []*entrant, e *entrant) []*entrant {
	at := slices.Index(all, e)
	return slices.Delete(all, at, at+1)
}

func (q entrants) Len() int           { return len(q) }
func (q entrants) Less(i, j int) bool { return q[i].compare(q[j]) < 0 }
func (q entrants) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *entrants) Push(e any)        { *q = append(*q, e.(*entrant)) }

func (q *entrants) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last], *q = nil, (*q)[:last]
	return e
}
