package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// adverse are the conditions that are bad news when they are true.
var adverse = []string{"Conflicted", "OverlappingTLSConfig", "PartiallyInvalid", "InsecureFrontendValidationMode"}

// following are the reasons of conditions that only tell of others.
var following = []string{string(gatewayv1.GatewayReasonListenersNotValid), string(gatewayv1.ListenerSetReasonParentNotAccepted)}

// badCondition is one that is not as it should be.
type badCondition struct {
	reason, message string
	// follows tells that it says no more than that others are bad.
	follows bool
}

// badConditions are those of the status that an object gets in a gateway that has an
// address.
func badConditions(object unit.Object, status unit.Status) []badCondition {
	whole, _ := status.Merge(object, unit.Moment{Addresses: []string{"192.0.2.1"}})
	raw, err := json.Marshal(whole)
	if err != nil {
		return nil
	}
	var tree any
	if json.Unmarshal(raw, &tree) != nil {
		return nil
	}
	return collect(tree, "")
}

// collect goes through a status, of which parts have conditions of their own: a
// listener by its name, a parent by its reference.
func collect(tree any, part string) (bad []badCondition) {
	switch tree := tree.(type) {
	case []any:
		for _, element := range tree {
			bad = append(bad, collect(element, part)...)
		}
	case map[string]any:
		part = partOf(tree, part)
		for _, c := range conditionsIn(tree) {
			if c.Reason == string(gatewayv1.GatewayReasonAddressNotAssigned) {
				continue // that of a Service which only a cluster makes
			}
			if c.Status == metav1.ConditionTrue && slices.Contains(adverse, c.Type) ||
				c.Status == metav1.ConditionFalse && !slices.Contains(adverse, c.Type) {
				follows := c.Type == string(gatewayv1.GatewayConditionProgrammed) || slices.Contains(following, c.Reason)
				bad = append(bad, badCondition{c.Reason, part + c.Message, follows})
			}
		}
		for _, name := range slices.Sorted(maps.Keys(tree)) {
			if name != "conditions" {
				bad = append(bad, collect(tree[name], part)...)
			}
		}
	}
	return bad
}

func conditionsIn(tree map[string]any) (conditions []metav1.Condition) {
	raw, err := json.Marshal(tree["conditions"])
	if err != nil || json.Unmarshal(raw, &conditions) != nil {
		return nil
	}
	return conditions
}

// partOf says which part of a status a tree is: `listener "https": `.
func partOf(tree map[string]any, outer string) string {
	if name, ok := tree["name"].(string); ok && tree["attachedRoutes"] != nil {
		return fmt.Sprintf("listener %q: ", name)
	}
	if parent, ok := tree["parentRef"].(map[string]any); ok {
		return fmt.Sprintf("parent %q: ", parent["name"])
	}
	if ancestor, ok := tree["ancestorRef"].(map[string]any); ok {
		return fmt.Sprintf("ancestor %q: ", ancestor["name"])
	}
	return outer
}
