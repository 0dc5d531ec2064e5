package report

import "github.com/kube-sync/kube-sync/translate/unit"

// Report is everything that there is to say about one object at the moment.
type Report struct {
	Object unit.Key
	// Programmed is true once the local Kong acknowledged a configuration that holds the
	// object.
	Programmed bool
	// Gone says that the object was deleted, or that it is no longer ours.
	Gone bool
	// Verdicts are those of the translation and of Kong.
	Verdicts []unit.Verdict
	// Status is the desired status of the object. It is nil if another controller writes the
	// status, or if it follows from Programmed alone.
	Status unit.Status
	// Owned are the objects that it owns; others of their kinds that it owned are deleted.
	Owned []unit.Object
}
