package watch

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestTheTimeOfTheLastWriteIsKept(t *testing.T) {
	at := func(ago time.Duration) *metav1.Time { return &metav1.Time{Time: time.Now().Add(-ago)} }
	recent, older, old := at(time.Second), at(10*time.Second), at(time.Hour)
	for name, c := range map[string]struct {
		fields []metav1.ManagedFieldsEntry
		want   *metav1.Time
	}{
		"none":            {nil, nil},
		"without a time":  {[]metav1.ManagedFieldsEntry{{Manager: "a"}}, nil},
		"long ago":        {[]metav1.ManagedFieldsEntry{{Manager: "a", Time: old}}, nil},
		"the latest":      {[]metav1.ManagedFieldsEntry{{Manager: "a", Time: older}, {Manager: "b", Time: recent}, {Manager: "c", Time: old}}, recent},
		"not of a status": {[]metav1.ManagedFieldsEntry{{Manager: "a", Time: older}, {Manager: "b", Time: recent, Subresource: "status"}}, older},
	} {
		object := &corev1.Service{ObjectMeta: metav1.ObjectMeta{ManagedFields: c.fields}}
		KeepWritten(object)
		KeepWritten(object) // as for objects that client-go transforms twice
		got := Written(object)
		if (c.want == nil) != got.IsZero() || c.want != nil && !got.Equal(c.want.Time) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		for _, entry := range object.ManagedFields {
			if entry.Manager != "" || len(object.ManagedFields) > 1 {
				t.Errorf("%s: %v is left", name, object.ManagedFields)
			}
		}
	}
	if got := Written(nil); !got.IsZero() {
		t.Errorf("a deletion was written at %v", got)
	}
}
