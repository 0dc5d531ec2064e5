package unit

import (
	"time"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/routing"
)

// Entry asks for points that objects of one side may share with each other, but not with those of
// another side. Of two entries of different sides that meet, the older one stays, then the first
// by namespace and name. An entry that is displaced displaces no other.
type Entry struct {
	Contest Contest
	// Side is the same for entries that may share points.
	Side  string
	Since time.Time
	// Own are the points that are asked for, and Above the points that contain them. Two entries
	// meet at a point that is Own for one and Own or Above for the other.
	Own, Above []string
}

// Contest is a set of points that entries compete for.
type Contest struct {
	// Name identifies the contest, such as a listener.
	Name string
	// Namespace is the namespace of all entries; empty if they may be of any.
	Namespace string
}

// Fragment is what one unit contributes.
type Fragment struct {
	// Entities are in the configuration as long as the unit exists.
	Entities []*kong.Entity
	// Claims are for what other units may want too.
	Claims []Claim
	// Status is the status of the unit's own object; nil to write none.
	Status Status
	// Objects are the complete wanted states of the cluster's objects that the unit's object
	// owns. An owned object that is no longer among them is deleted.
	Objects []Object
	// Verdicts tell users about their objects.
	Verdicts []Verdict

	// value is what the unit's users read, and parts are values that they read one by one, by
	// their [Part]. Users are translated again when what they read changes by reflect.DeepEqual.
	value any
	parts map[any]any
	// attached are the sections of other objects that the unit's object is attached to.
	attached []Section
}

// Part names a part of a unit's value, and its type. Types of parts are comparable and embed
// [PartOf].
type Part[T any] interface{ holds(T) }

// PartOf makes a type that embeds it a [Part] with values of type T.
type PartOf[T any] struct{}

func (PartOf[T]) holds(T) {}

// SetPart adds a part to a fragment. Users must not modify its value.
func SetPart[T any](f *Fragment, part Part[T], value T) {
	if f.parts == nil {
		f.parts = map[any]any{}
	}
	f.parts[part] = value
}

// Claim asks for something that exists once, such as a server name or a match. The oldest claim
// wins the slot, then the first by object; its entities are in the configuration. The others get
// their claim's verdict.
type Claim struct {
	Slot     Slot
	Object   Key
	Since    time.Time
	Entities []*kong.Entity
	// Ranked, if set, lets all claims to the slot hold it, each in its place, except those that
	// earlier claims cover completely. Entities are for the first place; Ranked is pure and
	// returns the entities for another place. Either all claims to a slot set it, or none.
	Ranked func(place routing.Place) []*kong.Entity
	// Extent is the part of the slot that a ranked claim asks for.
	Extent *routing.Extent
	// While names slots that the unit must hold too for the entities to be in the configuration:
	// a credential needs its consumer.
	While []Slot
	// Under, if set, must be satisfied, or the claim has no effect.
	Under Under
	// Same is what the claim wants from the slot. A claim that wants what the holder has gets no
	// verdict. An empty value equals no other.
	Same string
	// Lost is the verdict while another claim holds the slot. If the holder is in the same
	// namespace, its name is appended to the message. The zero value is no verdict.
	Lost Verdict
	// Elsewhere, if set, is the verdict while a claim of another namespace holds the slot. It is
	// for slots whose existence must not be disclosed.
	Elsewhere *Verdict
}

// Under requires that the holder of a slot has claimed it for Same.
type Under struct {
	Slot Slot
	Same string
}

// unordered returns the verdict on a ranked claim that shares its place with others.
func (c *Claim) unordered() Verdict {
	return Warning(c.Object, "TooManyMatches", "Too many older rules of the namespace have the same host and path, "+
		"so this one is matched after the ordered rules, in no particular order. Use fewer rules, or different paths.")
}

// loses reports whether the claim gets a verdict while another claim holds the slot.
func (c *Claim) loses(holder *Claim) bool {
	return c.Lost != (Verdict{}) && (c.Same == "" || c.Same != holder.Same)
}

// lostTo returns the verdict on a claim while another one holds its slot. Readers of an object
// may not have access to a holder in another namespace, so they only learn that it exists.
// Cluster-scoped objects belong to operators.
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
	// Key is of the key type of its [Family].
	Key any
}

// Family names a set of slots, such as server names. K is the type of their keys.
type Family[K comparable] string

// Slot returns a slot of the family.
func (f Family[K]) Slot(key K) Slot { return Slot{Family: string(f), Key: key} }

// The families for which several kinds of objects contend.
const (
	// ServerNames are the slots for the certificate of a server name.
	ServerNames Family[string] = "server name"
	// Ranks are the slots that share routes of which one request may match several.
	Ranks Family[routing.Rank] = "rank"
	// Streams are the slots for the route of the connections to a port and server name.
	Streams Family[kong.StreamPlace] = "stream"
)
