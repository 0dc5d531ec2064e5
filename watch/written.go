package watch

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// writtenWithin is how old a write may be for its time to be kept. Times of older writes would only
// cost memory: no one waits for them.
const writtenWithin = time.Minute

// KeepWritten replaces the managed fields of an object by the time of its last write, if that was
// less than a minute ago, and removes them otherwise. Writes of the status do not count.
func KeepWritten(object metav1.Object) {
	var last *metav1.Time
	for _, entry := range object.GetManagedFields() {
		if entry.Subresource == "" && entry.Time != nil && (last == nil || last.Before(entry.Time)) {
			last = entry.Time
		}
	}
	if last == nil || time.Since(last.Time) > writtenWithin {
		object.SetManagedFields(nil)
		return
	}
	object.SetManagedFields([]metav1.ManagedFieldsEntry{{Time: last}})
}

// Written returns when the API server stored the object, to the second; zero if that is unknown.
func Written(object unit.Object) time.Time {
	if object == nil {
		return time.Time{}
	}
	for _, entry := range object.GetManagedFields() {
		if entry.Subresource == "" && entry.Time != nil {
			return entry.Time.Time
		}
	}
	return time.Time{}
}
