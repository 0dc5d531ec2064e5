package gatewayclass

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

func accepted() condition.Diagnosis {
	return condition.New(gatewayv1.GatewayClassConditionStatusAccepted, true, gatewayv1.GatewayClassReasonAccepted,
		"Gateways of this class are served")
}

func invalidParameters() condition.Diagnosis {
	return condition.New(gatewayv1.GatewayClassConditionStatusAccepted, false, gatewayv1.GatewayClassReasonInvalidParameters,
		"parametersRef is not supported").At(field.Spec.Child("parametersRef"))
}

func supportedVersionCondition(supported bool, installed string) condition.Diagnosis {
	if supported {
		return condition.New(gatewayv1.GatewayClassConditionStatusSupportedVersion, true, gatewayv1.GatewayClassReasonSupportedVersion,
			fmt.Sprintf("Gateway API %s is installed", installed))
	}
	return condition.New(gatewayv1.GatewayClassConditionStatusSupportedVersion, false, gatewayv1.GatewayClassReasonUnsupportedVersion,
		fmt.Sprintf("Gateway API %s is installed and not supported: only what it has in common with %s works", installed, consts.BundleVersion))
}

// status is the status of a GatewayClass.
type status struct {
	condition.Verdicts
	conditions []metav1.Condition
	features   []gatewayv1.SupportedFeature
}

func newStatus(class *gatewayv1.GatewayClass, features []gatewayv1.SupportedFeature, conditions ...condition.Diagnosis) *status {
	s := &status{conditions: condition.Observed(class.Generation, conditions...), features: features}
	s.Add(unit.GatewayClass.Key("", class.Name), "", conditions...)
	return s
}

// Counted implements [unit.Status].
func (s *status) Counted(map[string]int) unit.Status { return s }

// Refused implements [unit.Status]. A class has nothing in Kong.
func (s *status) Refused(string) unit.Status { return s }

// Merge implements [unit.Status].
func (s *status) Merge(object unit.Object, now unit.Moment) (any, bool) {
	class, ok := object.(*gatewayv1.GatewayClass)
	if !ok {
		return nil, false
	}
	want := gatewayv1.GatewayClassStatus{
		Conditions:        condition.Merge(class.Status.Conditions, s.conditions, now),
		SupportedFeatures: s.features,
	}
	return want, !equality.Semantic.DeepEqual(want, class.Status)
}
