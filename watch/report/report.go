package report

import "github.com/kube-sync/kube-sync/translate/unit"

// Report is the current state of one object.
type Report struct {
	Object unit.Key
	// Change is the id of the newest change when the report was made; 0 before the first.
	Change uint64
	// Programmed is true once the local Kong has acknowledged a configuration with the object.
	Programmed bool
	// Gone says that the object was deleted, or that it is no longer ours.
	Gone bool
	// Verdicts are the verdicts of the translation and of Kong.
	Verdicts []unit.Verdict
	// Status is the desired status of the object. It is nil if another controller writes the
	// status, or if it follows from Programmed alone.
	Status unit.Status
	// Owned are the objects that it is to own. Others of their kinds that it owns are deleted.
	Owned []unit.Object
}
