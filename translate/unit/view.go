package unit

import "github.com/kube-sync/kube-sync/translate/kong"

// View is what one unit has in the configuration at the moment.
type View struct {
	ID ID
	// Object is the source object that the unit stands for: its own, or for a
	// shared unit the object that it is made of (a backend's Service).
	Object Key
	// Entities are the unit's own and those of the claims that it holds.
	Entities []*kong.Entity
	// Version changes whenever Entities do, and is never used twice.
	Version uint64
}
