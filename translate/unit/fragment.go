package unit

import (
	"time"

	"github.com/kube-sync/kube-sync/translate/kong"
)

// Entry asks for points that objects of one side share, but not with those of another: of two
// entries of different sides that meet the oldest stays, then the first by namespace and name.
// An entry that has to go keeps no other from staying.
type Entry struct {
	Contest Contest
	// Side is what those have in common that may share points.
	Side  string
	Since time.Time
	// Own are the points that are asked for, and Above those within which they are. Entries
	// meet at a point that is one's own, and the other's own or one above.
	Own, Above []string
}

// Contest is what entries contest.
type Contest struct {
	// Name names it, such as a listener.
	Name string
	// Namespace is that of all its entries, empty if they may be of any.
	Namespace string
}

// Fragment is what one unit contributes.
type Fragment struct {
	// Entities are in the configuration as long as the unit is.
	Entities []*kong.Entity
	// Claims are what the unit asks for and others may ask for too.
	Claims []Claim
	// Status is what the status of the unit's own object is to say; nil if nothing.
	Status Status
	// Objects are those of the cluster that the unit's object owns and that are to be as
	// they are here, whole. When it has none any more they are deleted.
	Objects []Object
	// Verdicts are what users are told about their objects.
	Verdicts []Verdict

	// value is what the unit's users read, and parts are values of which a user reads some, by
	// their [Part]. Users are translated again when what they read is another, as
	// reflect.DeepEqual has it.
	value any
	parts map[any]any
	// attached are the sections of other objects that the unit's object is attached to.
	attached []Section
}

// Part names a part of a unit's value, and its type. Types of parts can be compared, and embed
// [PartOf].
type Part[T any] interface{ holds(T) }

// PartOf makes the type that embeds it a [Part] with values of type T.
type PartOf[T any] struct{}

func (PartOf[T]) holds(T) {}

// SetPart adds a part to a fragment. Its users do not modify it.
func SetPart[T any](f *Fragment, part Part[T], value T) {
	if f.parts == nil {
		f.parts = map[any]any{}
	}
	f.parts[part] = value
}

// Claim asks for something that only one can have, such as an SNI or one and the
// same match. The oldest claim holds the slot, then the first by object; its
// entities are in the configuration. The others get the verdict of the claim.
type Claim struct {
	Slot     Slot
	Object   Key
	Since    time.Time
	Entities []*kong.Entity
	// Ranked, if set, lets all claims to the slot hold it, each in its place, but for those to
	// which the ones before leave nothing. Entities are for the place of one that is alone, and
	// it returns the entities for another place and has to be pure. All claims to one slot have
	// it, or none.
	Ranked func(place kong.Place) []*kong.Entity
	// Extent is what of the slot a ranked claim asks for.
	Extent *kong.Extent
	// While names slots that the unit has to hold too for the entities to be in the
	// configuration, as a credential is worth nothing without its consumer.
	While []Slot
	// Under, if set, is a slot whose holder has to ask for the same as this claim does, or the
	// claim comes to nothing.
	Under Under
	// Same is what the slot is asked for, where several may ask for the same: a claim that
	// asks for what the holder does has lost nothing, and gets no verdict. Empty is like no
	// other.
	Same string
	// Lost is the verdict while another claim holds the slot. The holder's name is
	// appended to its message where it is in the same namespace. The zero value is no verdict.
	Lost Verdict
	// Elsewhere, if set, is the verdict while a claim of another namespace holds the
	// slot: for slots whose very existence is not to be told.
	Elsewhere *Verdict
}

// Under names a slot, and what its holder has to ask for.
type Under struct {
	Slot Slot
	Same string
}

// unordered is the verdict of a ranked claim for which its slot has no place of its own.
func (c *Claim) unordered() Verdict {
	return Warning(c.Object, "TooManyMatches", "Too many older rules of the namespace have the same host and path: "+
		"this one comes after those of all other objects, in no particular order among the rest. Use fewer rules, or different paths.")
}

// loses reports whether there is something to say while another claim holds the slot.
func (c *Claim) loses(holder *Claim) bool {
	return c.Lost != (Verdict{}) && (c.Same == "" || c.Same != holder.Same)
}

// lostTo is the verdict on a claim while another one holds its slot. Those who may read
// an object need not be those who may read the holder: of one in another namespace they
// learn nothing but that there is one. Objects of no namespace are an operator's.
func (c *Claim) lostTo(holder *Claim) Verdict {
	lost := c.Lost
	switch own := c.Object.Namespace; {
	case own == "" || own == holder.Object.Namespace:
		lost.Message += "; held by " + holder.Object.String()
	case c.Elsewhere != nil:
		lost = *c.Elsewhere
	default:
		lost.Message += "; an object outside of namespace " + own + " takes precedence"
	}
	lost.Holder = holder.Object
	return lost
}

// Slot is something that only one claim can hold, or that its claims share in order.
type Slot struct {
	Family string
	// Key is of the type that the [Family] has for it.
	Key any
}

// Family names slots of one sort, such as server names. K tells them apart.
type Family[K comparable] string

// Slot returns a slot of the family.
func (f Family[K]) Slot(key K) Slot { return Slot{Family: string(f), Key: key} }

// The families for which several kinds of objects contend.
const (
	// ServerNames have a certificate each.
	ServerNames Family[string] = "server name"
	// Ranks have the routes of which one request may match several.
	Ranks Family[kong.Rank] = "rank"
	// Streams have the route for the connections to a port and server name.
	Streams Family[kong.StreamPlace] = "stream"
)
