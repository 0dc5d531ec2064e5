package gatewayapi

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// diagnosis is a condition and what it is about, for which conditions have no field.
type diagnosis struct {
	metav1.Condition
	unit.Fault
}

var spec = field.NewPath("spec")

func condition[T, R ~string](kind T, ok bool, reason R, message string) diagnosis {
	status := metav1.ConditionFalse
	if ok {
		status = metav1.ConditionTrue
	}
	return diagnosis{Condition: metav1.Condition{Type: string(kind), Status: status, Reason: string(reason), Message: unit.OneLine(message)}}
}

// at returns the diagnosis with the field that it is about.
func (d diagnosis) at(path field.Path) diagnosis { return d.with(unit.At(path)) }

// with returns the diagnosis with what it is about.
func (d diagnosis) with(f unit.Fault) diagnosis {
	d.Fault = f
	return d
}

// following returns a diagnosis that only follows from others of the object.
func (d diagnosis) following(path field.Path) diagnosis {
	f := unit.At(path)
	f.Follows = true
	return d.with(f)
}

// placed returns a diagnosis without a field with that of the path.
func (d diagnosis) placed(path field.Path) diagnosis {
	if d.Field == "" {
		d.Field = path
	}
	return d
}

// adverse are the conditions that are bad news when they are true.
var adverse = []string{
	string(gatewayv1.ListenerConditionConflicted), string(gatewayv1.RouteConditionPartiallyInvalid),
	string(gatewayv1.GatewayConditionInsecureFrontendValidationMode),
}

// isBad reports whether a condition is not as it should be.
func (d diagnosis) isBad() bool { return isTrue(d) == slices.Contains(adverse, d.Type) }

func isTrue(d diagnosis) bool { return d.Status == metav1.ConditionTrue }

// observed are the conditions with the generation that they are about.
func observed(generation int64, all ...diagnosis) []metav1.Condition {
	conditions := make([]metav1.Condition, len(all))
	for i, d := range all {
		conditions[i] = d.Condition
		conditions[i].ObservedGeneration = generation
	}
	return conditions
}

// diagnostics are the conditions of a status that are not as they should be.
type diagnostics []unit.Verdict

// Diagnostics implements [unit.Status].
func (all diagnostics) Diagnostics() []unit.Verdict { return all }

// add adds the conditions that are not as they should be. Part names the part of the status that
// has them: `listener "https": `. Only a running cluster assigns addresses.
func (all *diagnostics) add(object unit.Key, part string, conditions ...diagnosis) {
	for _, d := range conditions {
		if d.isBad() && d.Reason != string(gatewayv1.GatewayReasonAddressNotAssigned) {
			*all = append(*all, unit.Verdict{Object: object, Condition: d.Type, Reason: d.Reason, Message: part + d.Message, Fault: d.Fault})
		}
	}
}

// cause is one of the causes of a condition.
type cause struct {
	message string
	unit.Fault
}

// addCauses adds a condition once for each of its causes.
func (all *diagnostics) addCauses(object unit.Key, part string, of diagnosis, causes []cause) {
	for _, c := range causes[:min(len(causes), limit.Verdicts)] {
		of.Message, of.Fault = unit.OneLine(c.message), c.Fault
		all.add(object, part, of)
	}
}
