package limit

import "fmt"

// Limits are the bounds. In a field, zero stands for the default and Unlimited for no bound;
// [Limits.InEffect] fills in the defaults.
type Limits struct {
	// PluginString bounds one string in the configuration of a plugin, a vault or a custom
	// entity, in bytes.
	PluginString int
	// PluginConfig bounds such a configuration, in bytes of JSON.
	PluginConfig int
	// MatchTerms bounds the comparisons in the match of one route.
	MatchTerms int
	// Match bounds the memory that the match of one route takes in a worker's router, in bytes.
	Match int
	// Listeners bounds the listeners that the ListenerSets of one namespace add to a Gateway of
	// another.
	Listeners int
	// Attachments bounds the listeners to which the routes of one namespace are attached, summed
	// over the routes.
	Attachments int
	// Object bounds the cost of one object, and Namespace that of all objects of one namespace.
	Object, Namespace Cost
}

// Cost is the size of entities.
type Cost struct {
	// Entities is their number.
	Entities int
	// Bytes is the size of their JSON.
	Bytes int
	// Match is the memory that the matches of routes take in a worker's router, in bytes.
	Match int
}

// Unlimited is the value of a bound that is switched off.
const Unlimited = -1

// Row is one bound.
type Row struct {
	// Setting is the name of the setting that changes the bound.
	Setting string
	// Default is the bound without a setting.
	Default int
	// Doc is a sentence or two for users.
	Doc string
	// Field returns the bound's field.
	Field func(*Limits) *int
}

// Add returns the sum of two costs.
func (c Cost) Add(other Cost) Cost {
	return Cost{c.Entities + other.Entities, c.Bytes + other.Bytes, c.Match + other.Match}
}

// Sub returns the difference of two costs.
func (c Cost) Sub(other Cost) Cost {
	return Cost{c.Entities - other.Entities, c.Bytes - other.Bytes, c.Match - other.Match}
}

// InEffect returns the limits with defaults filled in.
func (l Limits) InEffect() Limits {
	for _, row := range Table {
		if field := row.Field(&l); *field == 0 {
			*field = row.Default
		}
	}
	l.Object.Match = l.Namespace.Match
	return l
}

// Settings are the names of the settings for each part of a cost.
type Settings struct{ Entities, Bytes, Match string }

// The settings of [Limits.Object] and [Limits.Namespace].
var (
	ObjectSettings    = Settings{ObjectEntities, ObjectBytes, NamespaceMatch}
	NamespaceSettings = Settings{NamespaceEntities, NamespaceBytes, NamespaceMatch}
)

// Within returns the first part of a cost that exceeds its bound; nil if none does.
func (c Cost) Within(most Cost, subject string, settings Settings) *Exceeded {
	switch {
	case Exceeds(c.Entities, most.Entities):
		return &Exceeded{subject, c.Entities, "entities", most.Entities, settings.Entities}
	case Exceeds(c.Bytes, most.Bytes):
		return &Exceeded{subject, c.Bytes, "bytes of configuration", most.Bytes, settings.Bytes}
	case Exceeds(c.Match, most.Match):
		return &Exceeded{subject, c.Match, "bytes of matches in a router", most.Match, settings.Match}
	}
	return nil
}

// Exceeds reports whether a value is above a bound of limits in effect.
func Exceeds(value, most int) bool { return most != Unlimited && value > most }

// Exceeded is the error of a value above a bound.
type Exceeded struct {
	// Subject is what has the value: "the match".
	Subject string
	// Value is the value, in Unit: "comparisons".
	Value int
	Unit  string
	// Most is the bound, and Setting the name of the setting that changes it.
	Most    int
	Setting string
}

func (e *Exceeded) Error() string {
	return fmt.Sprintf("%s has %d %s, and the setting %s allows %d", e.Subject, e.Value, e.Unit, e.Setting, e.Most)
}
