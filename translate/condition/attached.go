package condition

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Attached is the condition Programmed of an object that has no effect by itself: units that
// apply it call [Use].
type Attached struct {
	Status
	// Pending is the message while no unit uses the object.
	Pending string
}

// users is the section of an object to which its users are attached.
const users = "users"

// Use records that the reader's unit uses an object.
func Use(r *unit.Reader, key unit.Key) { r.Attach(unit.Section{Object: key, Name: users}) }

// Judged implements [unit.Judged].
func (s Attached) Judged(verdicts []unit.Verdict) unit.Status {
	s.Status, _ = s.Status.Judged(verdicts).(Status)
	return s
}

// Counted implements [unit.Status].
func (s Attached) Counted(attached map[string]int) unit.Status {
	if attached[users] == 0 && s.condition.Status == metav1.ConditionTrue {
		s.condition.Status, s.condition.Reason, s.condition.Message = metav1.ConditionFalse, ReasonPending, s.Pending
	}
	return s
}
