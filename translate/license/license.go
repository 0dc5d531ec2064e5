// Package license rejects KongLicenses: Kong's open source edition does not use licenses.
package license

import (
	"slices"

	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Role is the role of units of licenses.
const Role unit.Role[unit.None] = "license"

// controller is the gateway's name in statuses.
const controller = "kube-sync"

const message = "Kong's open source edition does not use licenses"

// Define adds the units of licenses to a graph.
func Define(g *unit.Graph) {
	unit.Each(g, Role, unit.KongLicense, unit.Valueless(func(_ *unit.Reader, key unit.Key, l *configurationv1alpha1.KongLicense) unit.Fragment {
		if !l.Enabled {
			return unit.Fragment{}
		}
		return unit.Fragment{Status: status{}, Verdicts: []unit.Verdict{condition.Verdict(key, false, "NotSupported", message)}}
	}))
}

// status is the gateway's entry among the controllers of a license.
type status struct{}

// Counted implements [unit.Status].
func (s status) Counted(map[string]int) unit.Status { return s }

// Refused implements [unit.Status].
func (s status) Refused(string) unit.Status { return s }

// Diagnostics implements [unit.Status].
func (s status) Diagnostics() []unit.Verdict { return nil }

// Merge implements [unit.Status].
func (s status) Merge(object unit.Object, now unit.Moment) (any, bool) {
	l, ok := object.(*configurationv1alpha1.KongLicense)
	if !ok {
		return nil, false
	}
	said := func(c configurationv1alpha1.KongLicenseControllerStatus) bool { return c.ControllerName == controller }
	controllers := slices.Clone(l.Status.KongLicenseControllerStatuses)
	at := slices.IndexFunc(controllers, said)
	if at >= 0 && slices.ContainsFunc(controllers[at].Conditions, func(c metav1.Condition) bool {
		return c.Type == condition.Programmed && c.Status == metav1.ConditionFalse && c.ObservedGeneration == l.Generation
	}) {
		return nil, false
	}
	answer := configurationv1alpha1.KongLicenseControllerStatus{ControllerName: controller, Conditions: []metav1.Condition{{
		Type: condition.Programmed, Status: metav1.ConditionFalse, Reason: "NotSupported", Message: message,
		ObservedGeneration: l.Generation, LastTransitionTime: now.Time,
	}}}
	if at < 0 {
		controllers = append(controllers, answer)
	} else {
		controllers[at] = answer
	}
	return map[string]any{"controllers": controllers}, true
}
