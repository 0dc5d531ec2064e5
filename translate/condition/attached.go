package condition

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Attached is the condition Programmed of an object that is nothing by itself: units that
// have it attach it to themselves, by [Use].
type Attached struct {
	Status
	// Pending says that none does.
	Pending string
}

// users is the section of an object that its users are attached to.
const users = "users"

// Use tells the object of a key that the unit which asks has it.
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
