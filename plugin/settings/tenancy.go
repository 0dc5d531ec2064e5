package settings

import (
	"fmt"
	"strings"

	"github.com/kube-sync/kube-sync/translate/customentity"
	"github.com/kube-sync/kube-sync/translate/tenancy"
)

// parseTenancy reads TENANCY and reports whether the gateway is isolated.
func parseTenancy(value string) (isolated bool, err error) {
	value, err = oneOf(tenancies...)(strings.ToLower(value))
	return value == "isolated", err
}

// parsePluginFields reads ALLOW_PLUGIN_FIELDS.
func parsePluginFields(value string) (all []tenancy.FieldValue, err error) {
	for part := range strings.SplitSeq(value, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		field, err := tenancy.ParseFieldValue(part)
		if err != nil {
			return nil, err
		}
		all = append(all, field)
	}
	return all, nil
}

func customEntityType(value string) (string, error) {
	if !customentity.ValidType(value) {
		return "", fmt.Errorf("%q is no type of custom entities", value)
	}
	return value, nil
}
