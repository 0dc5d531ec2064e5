package condition

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Diagnosis is a condition and its fault. A [metav1.Condition] has no field for the fault.
type Diagnosis struct {
	metav1.Condition
	unit.Fault
}

// New returns a condition of a type with a status and a reason.
func New[T, R ~string](kind T, ok bool, reason R, message string) Diagnosis {
	status := metav1.ConditionFalse
	if ok {
		status = metav1.ConditionTrue
	}
	return Diagnosis{Condition: metav1.Condition{Type: string(kind), Status: status, Reason: string(reason), Message: unit.OneLine(message)}}
}

// At returns the diagnosis with a fault at a field.
func (d Diagnosis) At(path field.Path) Diagnosis { return d.With(unit.At(path)) }

// With returns the diagnosis with a fault.
func (d Diagnosis) With(f unit.Fault) Diagnosis {
	d.Fault = f
	return d
}

// Following returns the diagnosis marked as a consequence of others on the object.
func (d Diagnosis) Following(path field.Path) Diagnosis {
	f := unit.At(path)
	f.Follows = true
	return d.With(f)
}

// Placed returns the diagnosis with the path as its field if it has none.
func (d Diagnosis) Placed(path field.Path) Diagnosis {
	if d.Field == "" {
		d.Field = path
	}
	return d
}

// adverse are the condition types for which True means a fault.
var adverse = []string{
	string(gatewayv1.ListenerConditionConflicted), string(gatewayv1.RouteConditionPartiallyInvalid),
	string(gatewayv1.GatewayConditionInsecureFrontendValidationMode),
}

// isBad reports whether the condition means a fault.
func (d Diagnosis) isBad() bool { return IsTrue(d) == slices.Contains(adverse, d.Type) }

func IsTrue(d Diagnosis) bool { return d.Status == metav1.ConditionTrue }

// Observed returns the conditions with their observed generation.
func Observed(generation int64, all ...Diagnosis) []metav1.Condition {
	conditions := make([]metav1.Condition, len(all))
	for i, d := range all {
		conditions[i] = d.Condition
		conditions[i].ObservedGeneration = generation
	}
	return conditions
}

// Verdicts are the conditions of a status that mean a fault.
type Verdicts []unit.Verdict

// Diagnostics implements [unit.Status].
func (all Verdicts) Diagnostics() []unit.Verdict { return all }

// Add adds the conditions that mean a fault. Part names the part of the status that has them:
// `listener "https": `. A missing address is no fault, because only a running cluster assigns it.
func (all *Verdicts) Add(object unit.Key, part string, conditions ...Diagnosis) {
	for _, d := range conditions {
		if d.isBad() && d.Reason != string(gatewayv1.GatewayReasonAddressNotAssigned) {
			*all = append(*all, unit.Verdict{Object: object, Condition: d.Type, Reason: d.Reason, Message: part + d.Message, Fault: d.Fault})
		}
	}
}

// Cause is one of the causes of a condition.
type Cause struct {
	Message string
	unit.Fault
}

// AddCauses adds a condition once for each of its causes, up to the limit of verdicts.
func (all *Verdicts) AddCauses(object unit.Key, part string, of Diagnosis, causes []Cause) {
	for _, c := range causes[:min(len(causes), limit.Verdicts)] {
		of.Message, of.Fault = unit.OneLine(c.Message), c.Fault
		all.Add(object, part, of)
	}
}
