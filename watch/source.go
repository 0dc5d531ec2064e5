package watch

import (
	"context"
	"time"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Source delivers the state of a cluster. One consumer calls Pending, Take and Want.
type Source interface {
	// Run watches until the context ends. An error is permanent, such as a setting that
	// names a file that does not exist.
	Run(ctx context.Context) error
	// Pending receives a value when there is something to take.
	Pending() <-chan struct{}
	// Take returns all changes since the last call.
	Take() Batch
	// Want sets the objects to deliver whole although their kind is watched as metadata
	// only, such as Secrets. Each call replaces the set.
	Want(keys []unit.Key)
}

// Batch is a set of changes, each object at most once.
type Batch struct {
	Changes []unit.Change
	// Since is when the oldest of the changes arrived; zero without changes.
	Since time.Time
	// Complete reports whether every object of the start, and every object that is wanted
	// now, has been delivered in this batch or an earlier one.
	Complete bool
	// Awaited are the wanted objects that have not been delivered yet. It is nil if other
	// objects have not been delivered either; then the batch is not complete.
	Awaited []unit.Key
}
