package watch

import (
	"context"
	"time"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Source delivers the state of a cluster. One consumer calls Pending, Take and Want.
type Source interface {
	// Run watches until the context ends. An error is one that trying again
	// cannot mend, such as a setting that names no file.
	Run(ctx context.Context) error
	// Pending is ready to be received from when there is something to take.
	Pending() <-chan struct{}
	// Take returns all that has changed since it was last called.
	Take() Batch
	// Want sets the objects to be delivered whole although their kind is watched
	// as metadata alone (Secrets). Each call replaces the set.
	Want(keys []unit.Key)
}

// Batch is a set of changes, each object at most once.
type Batch struct {
	Changes []unit.Change
	// Since is when the oldest of the changes arrived; zero without changes.
	Since time.Time
	// Complete tells that all that was there at the start, and every object that
	// is wanted by now, has been delivered in this batch or an earlier one.
	Complete bool
	// Awaited are the wanted objects that have not been delivered yet, unless there is
	// more that has not: then it is nil, and the batch is not complete either.
	Awaited []unit.Key
}

// Report is all there is to say about one object at the moment.
type Report struct {
	Object unit.Key
	// Programmed is true once the local Kong acknowledged a configuration that
	// holds the object.
	Programmed bool
	// Gone tells that the object, or our interest in it, ended.
	Gone bool
	// Verdicts are of the translation and of Kong.
	Verdicts []unit.Verdict
	// Status is what the object's status is to say; nil where that is not for us to
	// tell, or follows from Programmed alone.
	Status unit.Status
	// Owned are objects that it is to own, and no others of their kinds.
	Owned []unit.Object
}

// Reporter takes reports and makes them known. Report does not block on the network.
type Reporter interface {
	Report(reports ...Report)
}
