package unit

// Update takes changed objects and translates again the units that read them.
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

// Keep makes a shared unit exist for good, whether or not another one uses it, and returns its
// value.
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

// settle translates what is dirty until nothing is, drops unused units, and derives what
// the units have in the configuration from the claims that they hold then.
func (g *Graph) settle() {
	for g.translateAll(); g.ration() || g.rank() || g.judge(); {
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

// translateAll translates what is dirty until nothing is, and drops unused units.
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

// store puts an object in its place and marks whoever asked for it.
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
