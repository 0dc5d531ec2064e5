package unit

// Update stores changed objects and translates the units that read them again.
func (g *Graph) Update(changes ...Change) Result {
	g.begin()
	for _, c := range changes {
		g.store(c)
	}
	g.settle()
	return g.changed
}

// begin starts a new result.
func (g *Graph) begin() {
	g.changed = Result{Units: map[ID]struct{}{}, Objects: map[Key]struct{}{}, Reads: map[Kind]struct{}{}, Translated: map[string]int{}}
}

// Keep makes a shared unit exist permanently, with or without users, and returns its value.
func Keep[T any](g *Graph, of Ref[T]) T {
	n := g.nodes[of.ID]
	if n == nil {
		n = g.add(of.ID)
	}
	n.source = true
	if n.dirty {
		g.begin()
		g.settle()
	}
	value, _ := n.fragment.value.(T)
	return value
}

// settle translates all dirty units, drops unused ones, and then derives the units' entities and
// verdicts from the claims that they hold.
func (g *Graph) settle() {
	for g.translateAll(); g.allotSections() || g.rankUnits() || g.settleContests(); {
		g.translateAll()
	}
	g.settleSlots()
	for _, n := range g.stale {
		n.stale = false
		if !n.gone {
			g.refresh(n)
		}
	}
	g.stale = nil
}

// translateAll translates dirty units until there are none, and drops unused ones.
func (g *Graph) translateAll() {
	for {
		for n := g.agenda.pop(); n != nil; n = g.agenda.pop() {
			g.translate(n)
		}
		if len(g.orphans) == 0 {
			return
		}
		orphans := g.orphans
		g.orphans = nil
		for _, n := range orphans {
			if len(n.users) == 0 && !n.source && !n.gone {
				g.drop(n)
			}
		}
	}
}

// store replaces an object and marks the units that asked for it.
func (g *Graph) store(c Change) {
	old, known := g.objects[c.Key]
	if c.Object == nil {
		if !known {
			return
		}
		delete(g.objects, c.Key)
	} else {
		g.objects[c.Key] = c.Object
	}
	g.markAll(g.readers[c.Key.Kind][c.Key])
	for _, index := range g.indexes[c.Key.Kind] {
		g.list(index, c.Key, old, c.Object)
	}
	role, ok := g.sources[c.Key.Kind]
	if !ok {
		return
	}
	id := unitOf(role, c.Key)
	n := g.nodes[id]
	switch {
	case c.Object == nil:
		g.changed.Objects[c.Key] = struct{}{}
		n.source = false
		g.orphans = append(g.orphans, n)
	case n == nil:
		g.changed.Objects[c.Key] = struct{}{}
		g.add(id).source = true
	default:
		n.source = true
		g.mark(n)
	}
}
