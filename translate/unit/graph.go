package unit

import (
	"github.com/kube-sync/kube-sync/translate/kong"
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
	quotas     map[string]*quota // by namespace
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
	short   []*quota
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
		quotas:     map[string]*quota{},
		attached:   map[Key]*attachments{},
	}
}

// source returns the node of a source object, or nil.
func (g *Graph) source(key Key) *node { return g.nodes[unitOf(g.sources[key.Kind], key)] }

// definition is how units of one role are made.
type definition struct {
	// kind is that of the object that a unit stands for. The object has the namespace and the
	// name of the unit's id.
	kind Kind
	// eachObject makes a unit of every object of the kind. Without it, units of the role exist
	// as long as another unit uses them.
	eachObject bool
	translate  func(ID, Key, *Reader) Fragment
	// missing and failed return the value of a unit whose object does not exist, or whose
	// translation panicked; nil for the zero value.
	missing func(Key) any
	failed  func(ID, Key) any
}

// node is one unit in the graph.
type node struct {
	id     ID
	object Key
	source bool // there is an object, not only users
	dirty  bool // has to be translated
	busy   bool // is being translated
	stale  bool // has to be refreshed
	gone   bool
	level  int // above those of the units that it uses

	fragment Fragment
	reads    []Key
	lookups  []lookup
	uses     []use
	users    multimap[any, *node] // by the part that they use, which is nil for the value
	claims   []*contender
	entrants []*entrant

	// What follows from the fragment and the claims that are held.
	entities []*kong.Entity
	verdicts []Verdict
	version  uint64

	budget budget

	// sections is to how many the node asks to attach its object, and unattached reports that
	// there is no room for them.
	sections   int
	unattached bool
}

// use is what a unit uses of another one: a [Part], or its value if that is nil.
type use struct {
	node *node
	part any
}

// Reader answers a unit's questions and records them.
type Reader struct {
	graph *Graph
	node  *node

	reads    ordered[Key]
	lookups  ordered[lookup]
	uses     ordered[use]
	attached ordered[Section]
	sections int
	entrants entries
}

// lookup is a key of an index.
type lookup struct {
	index string
	key   any
}

// agenda holds the nodes that are to be translated, by their level. The lowest come first, so that
// what a node uses is as it will be before the node is translated, and this happens once.
type agenda [deepest + 1][]*node

// deepest is the highest level. What is still deeper may be translated more often.
const deepest = 32

// contender is one claim of one node among the claims to a slot.
type contender struct {
	node  *node
	claim *Claim // among those of the node's fragment
	// ordinal is the place of the claim among those of its node.
	ordinal int

	// place is that of a ranked claim, and by the one that leaves nothing to it. The entities
	// are those of a place other than the first, kept because they cost more than finding the
	// place again.
	place, made kong.Place
	by          *contender
	entities    []*kong.Entity
}

// slot holds the claims to one thing, in order: the first one has it.
type slot struct {
	contenders []*contender
	// arrangement is of ranked contenders.
	arrangement kong.Arrangement

	// The state of one Update: the holder before it, and the first of ranked contenders whose
	// place may be another now.
	touched bool
	holder  *contender
	moved   int
}

// entrant is an entry of a node.
type entrant struct {
	Entry
	node *node
	// settled tells that by is known: the oldest of those that stay in the way of this one, nil
	// if this one stays. Told is what of it the node's translation went by.
	settled  bool
	by, told *entrant
	queued   bool
	entered  bool // the contest has it
	gone     bool
	kept     bool // the node has it before and after a translation
}

// entryKey is what is the same for equal entries of a node alone.
type entryKey struct {
	contest    Contest
	side       string
	since      int64
	own, above string
}

// entries are those of a node while it is translated, in the order in which it enters them.
type entries struct {
	list            []*entrant
	entered, before map[entryKey]*entrant
}

// contests are all entries, by their points.
type contests struct {
	points map[pointKey]*point
	sides  map[Contest]map[string]int // how many entrants each side of a contest has
	queue  entrants                   // to be settled, the oldest first
	told   []*entrant                 // whose node may have gone by another outcome
}

// pointKey names a point of a contest, for one side.
type pointKey struct {
	contest     Contest
	point, side string
}

// point holds the entrants of one side at a point, the oldest first: those whose own it is, and
// those who are within it.
type point struct{ own, within []*entrant }

// entrants is a heap, the oldest first.
type entrants []*entrant

// namespace is what the units of one namespace take together. As long as that is within the
// limit, a change costs an addition. Beyond it the units are ranked by the age of their
// objects: those for which there is room have what their fragments say, others what is left
// when all that can be refused alone is, and the rest nothing.
//
// A claim counts whether it is held or not, so that nobody's objects can change what those
// of another namespace have room for.
type namespace struct {
	nodes map[*node]struct{}
	total limit.Cost
	// dirty tells that the units have to be ranked again.
	dirty bool
	// ranked tells that some unit does not have all that its fragment says.
	ranked bool
}

// quota is to how many sections the units of one namespace ask to attach their objects.
type quota struct {
	nodes map[*node]struct{}
	total int
	// dirty reports that the units have to be ranked again, and tight that there was no room
	// for some.
	dirty, tight bool
}

// budget is what a node takes of its namespace's room.
type budget struct {
	cost, closed limit.Cost
	room         room
	// tight is why the room is not for the whole; empty if it is.
	tight string
}

// room is how much of its fragment a unit has.
type room uint8

const (
	whole room = iota
	// closed is without plugins, whose requests are refused, and without endpoints.
	closed
	nothing
)
