package condition

import (
	"testing"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// TestARefusalHidesNoFault holds that a refusal by Kong does not hide what the translation found.
func TestARefusalHidesNoFault(t *testing.T) {
	key := unit.KongConsumer.Key("shop", "ann")
	judged := Status{}.Judged([]unit.Verdict{Verdict(key, false, "CredentialInvalid", "the Secret has no key")})
	for status, want := range map[unit.Status]string{
		judged.Refused("Kong says no"):   "the Secret has no key; Kong says no",
		Status{}.Refused("Kong says no"): "Kong says no",
	} {
		merged, _ := status.Merge(&configurationv1.KongConsumer{}, unit.Moment{})
		got := merged.(map[string]any)["conditions"].([]metav1.Condition)[0]
		if got.Status != metav1.ConditionFalse || got.Reason != "Invalid" || got.Message != want {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}
