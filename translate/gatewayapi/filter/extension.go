package filter

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/field"
)

// PluginName returns the name of the KongPlugin that a filter refers to; it is false for other filters.
func PluginName(ref *gatewayv1.LocalObjectReference) (name string, ok bool) {
	if ref == nil || ref.Group != "configuration.konghq.com" || ref.Kind != "KongPlugin" {
		return "", false
	}
	return string(ref.Name), true
}

// Extension is a filter's reference to a KongPlugin; At is the path of the name.
type Extension struct {
	Name string
	At   field.Path
}
