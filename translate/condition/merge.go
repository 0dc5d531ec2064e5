package condition

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// ourTypes are the types of the conditions that the gateway writes.
var ourTypes = []string{"Accepted", "ResolvedRefs", "PartiallyInvalid", "Programmed", "Conflicted", "SupportedVersion", "InsecureFrontendValidationMode"}

// Merge returns the wanted conditions and the object's conditions of other controllers. A
// condition whose status is unchanged keeps its transition time.
func Merge(have, want []metav1.Condition, now unit.Moment) []metav1.Condition {
	var all []metav1.Condition
	for _, c := range want {
		c.LastTransitionTime = now.Time
		for _, h := range have {
			if h.Type == c.Type && h.Status == c.Status {
				c.LastTransitionTime = h.LastTransitionTime
			}
		}
		all = append(all, c)
	}
	for _, h := range have {
		if !slices.Contains(ourTypes, h.Type) {
			all = append(all, h)
		}
	}
	return all
}

// Replace returns the conditions with the one of the same type replaced.
func Replace(conditions []metav1.Condition, by metav1.Condition) []metav1.Condition {
	conditions = slices.Clone(conditions)
	for i, c := range conditions {
		if c.Type == by.Type {
			by.ObservedGeneration = c.ObservedGeneration
			conditions[i] = by
		}
	}
	return conditions
}
