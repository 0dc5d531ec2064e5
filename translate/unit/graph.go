package unit

import (
	"iter"
	"slices"

	"github.com/kube-sync/kube-sync/translate/limit"
)

// Graph holds all units and keeps their fragments in step with the objects.
type Graph struct {
	roles   map[RoleName]*definition
	sources map[Kind]RoleName // of the units of source objects
	indexes map[Kind][]func(Object) []lookup
	limits  limit.Limits

	objects    map[Key]Object
	listed     multimap[lookup, Key]
	lookers    multimap[lookup, *node]
	readers    map[Kind]multimap[Key, *node]
	nodes      map[ID]*node
	slots      map[Slot]*slot
	contests   contests
	spoken     multimap[Key, *node] // units with verdicts on objects not their own
	namespaces map[string]*namespace
	// attached are the objects that are attached to sections of an object.
	attached map[Key]*attachments
	version  uint64
	// placed counts the ranked claims to which settling gave a place, for tests too.
	placed int
	// looked counts the claims that refreshes looked at, so that tests see what a change costs.
	looked int

	// The state of one Update.
	agenda  agenda
	orphans []*node
	crowded []*namespace
	touched []*slot
	stale   []*node
	changed Result
}

// Result is what an Update changed.
type Result struct {
	// Units are those whose entities differ now, those that are gone included.
	Units map[ID]struct{}
	// Objects are those that came, went, or have other verdicts or another status now.
	Objects map[Key]struct{}
	// Reads are the kinds of which [Graph.Reads] may return others now.
	Reads map[Kind]struct{}
	// Translated is how often units were translated, by their namespace.
	Translated map[string]int
}

// NewGraph returns a graph without objects.
func NewGraph(limits limit.Limits) *Graph {
	return &Graph{
		limits:  limits.InEffect(),
		roles:   map[RoleName]*definition{},
		sources: map[Kind]RoleName{},
		indexes: map[Kind][]func(Object) []lookup{},
		objects: map[Key]Object{},
		listed:  multimap[lookup, Key]{},
		lookers: multimap[lookup, *node]{},
		readers: map[Kind]multimap[Key, *node]{},
		nodes:   map[ID]*node{},
		slots:   map[Slot]*slot{},
		spoken:  multimap[Key, *node]{},

		namespaces: map[string]*namespace{},
		attached:   map[Key]*attachments{},
	}
}

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
	for g.translateAll(); g.rank() || g.judge(); {
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
			if !n.used() && !n.source && !n.gone {
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

// Reads lists the keys of a kind that units asked for, found or not, in order.
func (g *Graph) Reads(kind Kind) []Key {
	keys := make([]Key, 0, len(g.readers[kind]))
	for key := range g.readers[kind] {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, Key.Compare)
	return keys
}

// Units gives all units that are in the configuration, in the order of their ids.
func (g *Graph) Units() iter.Seq[View] {
	ids := make([]ID, 0, len(g.nodes))
	for id, n := range g.nodes {
		if len(n.entities) > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, ID.Compare)
	return func(yield func(View) bool) {
		for _, id := range ids {
			if !yield(g.nodes[id].view()) {
				return
			}
		}
	}
}

// View gives one unit. It is false for units that have nothing in the configuration.
func (g *Graph) View(id ID) (View, bool) {
	n := g.nodes[id]
	if n == nil || len(n.entities) == 0 {
		return View{}, false
	}
	return n.view(), true
}

// source returns the node of a source object, or nil.
func (g *Graph) source(key Key) *node { return g.nodes[unitOf(g.sources[key.Kind], key)] }

// Source gives the unit of a source object, like View.
func (g *Graph) Source(key Key) (View, bool) {
	if n := g.source(key); n != nil {
		return g.View(n.id)
	}
	return View{}, false
}

// Object gives an object that the graph was told of, or nil.
func (g *Graph) Object(key Key) Object { return g.objects[key] }

// Verdicts gives all there is to say about an object, in a stable order.
func (g *Graph) Verdicts(key Key) []Verdict {
	var verdicts []Verdict
	if n := g.source(key); n != nil {
		verdicts = g.verdictsOf(n, key, verdicts)
	}
	others := make([]*node, 0, len(g.spoken[key]))
	for n := range g.spoken[key] {
		others = append(others, n)
	}
	slices.SortFunc(others, func(a, b *node) int { return a.id.Compare(b.id) })
	for _, n := range others {
		verdicts = g.verdictsOf(n, key, verdicts)
	}
	return distinct(verdicts)
}

// AllVerdicts gives the verdicts on all objects that have any.
func (g *Graph) AllVerdicts() iter.Seq2[Key, []Verdict] {
	objects := map[Key]struct{}{}
	for _, n := range g.nodes {
		for _, v := range n.verdicts {
			objects[v.Object] = struct{}{}
		}
	}
	keys := make([]Key, 0, len(objects))
	for key := range objects {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, Key.Compare)
	return func(yield func(Key, []Verdict) bool) {
		for _, key := range keys {
			if !yield(key, g.Verdicts(key)) {
				return
			}
		}
	}
}

func (g *Graph) verdictsOf(n *node, key Key, verdicts []Verdict) []Verdict {
	for _, v := range n.verdicts {
		if v.Object == key {
			v.Message = OneLine(v.Message)
			verdicts = append(verdicts, v)
		}
	}
	return verdicts
}

// distinct drops repeated verdicts: units that share an object may have the same to say of it.
func distinct(verdicts []Verdict) []Verdict {
	if len(verdicts) < 2 {
		return verdicts
	}
	seen := make(map[Verdict]struct{}, len(verdicts))
	return slices.DeleteFunc(verdicts, func(v Verdict) bool {
		said := v.With(Fault{})
		_, known := seen[said]
		seen[said] = struct{}{}
		return known
	})
}
