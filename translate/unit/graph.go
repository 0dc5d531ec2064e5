package unit

import (
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/routing"
)

// Graph holds all units and keeps their fragments consistent with the objects.
type Graph struct {
	roles   map[RoleName]*definition
	sources map[Kind]RoleName // the role of the units of source objects
	indexes map[Kind][]func(Object) []lookup
	limits  limit.Limits

	objects    map[Key]Object
	listed     multimap[lookup, Key]
	lookers    multimap[lookup, *node]
	readers    map[Kind]multimap[Key, *node]
	nodes      map[ID]*node
	slots      map[Slot]*slot
	contests   contests
	onOthers   multimap[Key, *node] // units with verdicts on an object that is not their own
	namespaces map[string]*namespace
	quotas     map[string]*quota // by namespace
	// attached counts the objects that are attached to the sections of each object.
	attached map[Key]*attachments
	version  uint64
	// placed counts the ranked claims that were placed, for tests.
	placed int
	// visited counts the claims that refreshes looked at, for tests of what a change costs.
	visited int

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
	// Units are the units whose entities changed, including deleted units.
	Units map[ID]struct{}
	// Objects are the objects that were created or deleted, or whose verdicts or status changed.
	Objects map[Key]struct{}
	// Reads are the kinds for which the result of [Graph.Reads] may have changed.
	Reads map[Kind]struct{}
	// Translated is the number of translations by namespace.
	Translated map[string]int
}

// NewGraph returns a graph without objects.
func NewGraph(limits limit.Limits) *Graph {
	return &Graph{
		limits:   limits.InEffect(),
		roles:    map[RoleName]*definition{},
		sources:  map[Kind]RoleName{},
		indexes:  map[Kind][]func(Object) []lookup{},
		objects:  map[Key]Object{},
		listed:   multimap[lookup, Key]{},
		lookers:  multimap[lookup, *node]{},
		readers:  map[Kind]multimap[Key, *node]{},
		nodes:    map[ID]*node{},
		slots:    map[Slot]*slot{},
		onOthers: multimap[Key, *node]{},

		namespaces: map[string]*namespace{},
		quotas:     map[string]*quota{},
		attached:   map[Key]*attachments{},
	}
}

// source returns the node of a source object, or nil.
func (g *Graph) source(key Key) *node { return g.nodes[unitOf(g.sources[key.Kind], key)] }

// definition is how units of one role are translated.
type definition struct {
	// kind is the kind of the object that a unit stands for. The unit's id has the object's
	// namespace and name.
	kind Kind
	// eachObject is set if every object of the kind is a unit. Otherwise units of the role exist
	// as long as another unit uses them.
	eachObject bool
	translate  func(ID, Key, *Reader) Fragment
	// missing and failed return the value of a unit whose object does not exist, or whose
	// translation panicked. If nil, it is the zero value.
	missing func(Key) any
	failed  func(ID, Key) any
}

// node is one unit in the graph.
type node struct {
	id     ID
	object Key
	source bool // the object exists; false if the unit has users only
	dirty  bool // must be translated
	busy   bool // is being translated
	stale  bool // must be refreshed
	gone   bool
	level  int // above the levels of the units that it uses

	fragment Fragment
	reads    []Key
	lookups  []lookup
	uses     []use
	users    multimap[any, *node] // by the part that they use; nil is the value
	claims   []*contender
	entrants []*entrant

	// These are derived from the fragment and the claims that the node holds.
	entities []*kong.Entity
	verdicts []Verdict
	version  uint64

	budget budget

	// sections is the number of sections that the node asks to attach its object to. unattached
	// is set if that exceeds the limit.
	sections   int
	unattached bool
}

// use is a unit's use of another one: of a [Part], or of its value if part is nil.
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

// agenda holds the nodes that must be translated, by level. The lowest come first, so that each
// node is translated once, after all that it uses.
type agenda [deepest + 1][]*node

// deepest is the highest level. Units with deeper chains of uses may be translated more than
// once.
const deepest = 32

// contender is one claim of one node to a slot.
type contender struct {
	node  *node
	claim *Claim // one of the claims of the node's fragment
	// ordinal is the index of the claim among those of its node.
	ordinal int

	// place is the place of a ranked claim, and by is the contender that covers it completely.
	// entities are cached for the place made, because they cost more than placing does.
	place, made routing.Place
	by          *contender
	entities    []*kong.Entity
}

// slot holds the claims to one thing, in order. The first one wins.
type slot struct {
	contenders []*contender
	// arrangement is of ranked contenders.
	arrangement routing.Arrangement

	// The state of one Update: the holder before it, and the first ranked contender whose place
	// may have changed.
	touched bool
	holder  *contender
	moved   int
}

// entrant is an entry of a node.
type entrant struct {
	Entry
	node *node
	// settled is set if by is known: the oldest entrant that displaces this one, nil if this one
	// stays. assumed is the value of by that the node's translation used.
	settled     bool
	by, assumed *entrant
	queued      bool
	entered     bool // the contest contains it
	gone        bool
	kept        bool // the node had it before the translation too
}

// entryKey is the key that only equal entries of a node share.
type entryKey struct {
	contest    Contest
	side       string
	since      int64
	own, above string
}

// entries holds the entries of a node during its translation, in the order of the calls.
type entries struct {
	list            []*entrant
	entered, before map[entryKey]*entrant
}

// contests holds all entries by their points.
type contests struct {
	points  map[pointKey]*point
	sides   map[Contest]map[string]int // how many entrants each side of a contest has
	queue   entrants                   // must be settled, the oldest first
	recheck []*entrant                 // whose node may have used another outcome
}

// pointKey names a point of a contest for one side.
type pointKey struct {
	contest     Contest
	point, side string
}

// point holds the entrants of one side at a point, the oldest first: those that ask for it, and
// those that ask for points within it.
type point struct{ own, within []*entrant }

// entrants is a heap, the oldest first.
type entrants []*entrant

// namespace sums up the cost of the units of one namespace. Within the limit, a change costs one
// addition. Beyond it, the units are ranked by the age of their objects: the oldest that fit keep
// their whole fragments, others keep their [closed] part if that fits, and the rest get nothing.
//
// A claim costs the same whether it is held or not, so that no namespace's objects can affect the
// room of another one.
type namespace struct {
	nodes map[*node]struct{}
	total limit.Cost
	// dirty is set if the units must be ranked again.
	dirty bool
	// ranked is set if some unit does not have its whole fragment.
	ranked bool
}

// quota sums up the sections that the units of one namespace ask to attach their objects to.
type quota struct {
	nodes map[*node]struct{}
	total int
	// dirty is set if the units must be ranked again, and tight if the limit excluded some.
	dirty, tight bool
}

// budget is a node's share of its namespace's limit.
type budget struct {
	cost, closed limit.Cost
	room         room
	// tight is why the node does not have its whole fragment; empty if it has.
	tight string
}

// room is how much of its fragment a unit keeps.
type room uint8

const (
	whole room = iota
	// closed omits endpoints, and replaces plugins with the refusal of their requests.
	closed
	nothing
)
