package unit

import "github.com/kube-sync/kube-sync/translate/kong"

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
