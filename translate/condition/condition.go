// Package condition makes the conditions of statuses, and lists the reasons of verdicts. A
// [Status] of one of Kong's kinds follows from the verdicts on the object. In Gateway API it is
// the reverse: the translation makes each condition as a [Diagnosis], and the adverse ones become
// [Verdicts].
package condition

import (
	"slices"
	"strings"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"
	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	incubatorv1alpha1 "github.com/kong/kubernetes-configuration/api/incubator/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Programmed is the condition type that all of Kong's kinds have: whether the object is in Kong's
// configuration.
const Programmed = string(configurationv1.ConditionProgrammed)

// Reasons of the condition.
const (
	ReasonProgrammed = string(configurationv1.ReasonProgrammed)
	ReasonInvalid    = string(configurationv1.ReasonInvalid)
	ReasonPending    = string(configurationv1.ReasonPending)
)

// messageLimit is the maximum length of a condition's message in Kubernetes.
const messageLimit = 32768

// Verdict returns a verdict on the condition Programmed.
func Verdict(key unit.Key, ok bool, reason, message string) unit.Verdict {
	return unit.Verdict{Object: key, Condition: Programmed, OK: ok, Reason: reason, Message: message}
}

// Status is the condition Programmed of an object.
type Status struct {
	condition metav1.Condition
}

// Judged implements [unit.Judged]: the condition is false if any verdict is.
func (s Status) Judged(verdicts []unit.Verdict) unit.Status {
	var messages []string
	s.condition = metav1.Condition{Type: Programmed}
	for _, v := range verdicts {
		if v.Condition != Programmed {
			continue
		}
		if !v.OK && s.condition.Status != metav1.ConditionFalse || s.condition.Status == "" {
			s.condition.Status, s.condition.Reason, messages = statusOf(v.OK), v.Reason, nil
		}
		if statusOf(v.OK) == s.condition.Status {
			messages = append(messages, v.Message)
		}
	}
	s.condition.Message = Shorten(strings.Join(messages, "; "))
	return s
}

func statusOf(ok bool) metav1.ConditionStatus {
	if ok {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
}

// Shorten truncates a message to what a condition accepts.
func Shorten(message string) string {
	return strings.ToValidUTF8(message[:min(len(message), messageLimit)], "")
}

// Counted implements [unit.Status]: nothing is attached to Kong's kinds.
func (s Status) Counted(map[string]int) unit.Status { return s }

// Refused implements [unit.Status]. It keeps the message of a condition that is already false.
func (s Status) Refused(message string) unit.Status {
	if s.condition.Status == metav1.ConditionFalse {
		message = s.condition.Message + "; " + message
	}
	s.condition = metav1.Condition{Type: Programmed, Status: metav1.ConditionFalse, Reason: ReasonInvalid, Message: Shorten(message)}
	return s
}

// Diagnostics implements [unit.Status].
func (s Status) Diagnostics() []unit.Verdict { return nil }

// Merge implements [unit.Status]. It keeps other conditions unchanged.
func (s Status) Merge(object unit.Object, now unit.Moment) (status any, differs bool) {
	if s.condition.Status == "" {
		return nil, false
	}
	conditions := slices.Clone(conditionsOf(object))
	s.condition.ObservedGeneration, s.condition.LastTransitionTime = object.GetGeneration(), now.Time
	at := slices.IndexFunc(conditions, func(c metav1.Condition) bool { return c.Type == s.condition.Type })
	if at < 0 {
		return map[string]any{"conditions": append(conditions, s.condition)}, true
	}
	if conditions[at].Status == s.condition.Status {
		s.condition.LastTransitionTime = conditions[at].LastTransitionTime
	}
	differs = conditions[at] != s.condition
	conditions[at] = s.condition
	return map[string]any{"conditions": conditions}, differs
}

func conditionsOf(object unit.Object) []metav1.Condition {
	switch object := object.(type) {
	case *configurationv1.KongPlugin:
		return object.Status.Conditions
	case *configurationv1.KongClusterPlugin:
		return object.Status.Conditions
	case *configurationv1.KongConsumer:
		return object.Status.Conditions
	case *configurationv1beta1.KongConsumerGroup:
		return object.Status.Conditions
	case *incubatorv1alpha1.KongServiceFacade:
		return object.Status.Conditions
	case *configurationv1alpha1.KongVault:
		return object.Status.Conditions
	case *configurationv1alpha1.KongCustomEntity:
		return object.Status.Conditions
	}
	return nil
}
