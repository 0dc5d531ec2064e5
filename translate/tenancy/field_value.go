package tenancy

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// FieldValue is a value that an operator permits in a field of a plugin.
type FieldValue struct {
	// Plugin is the plugin's name, and Field is the path of a field of its configuration.
	Plugin, Field string
	// Value is the permitted value: "*" for all, a path with a final slash for all files of a
	// directory, and empty if the field may be missing.
	Value string
}

// ParseFieldValue parses "plugin.field=value". It is an error if the field has no permission to
// extend.
func ParseFieldValue(text string) (FieldValue, error) {
	name, value, ok := strings.Cut(text, "=")
	plugin, field, dotted := strings.Cut(name, ".")
	known := slices.ContainsFunc(permissions, func(p permission) bool { return p.plugin == plugin && p.field == field })
	if !ok || !dotted || !known {
		return FieldValue{}, fmt.Errorf("%q: want plugin.field=value with one of %s", text, strings.Join(limited(), ", "))
	}
	return FieldValue{plugin, field, value}, nil
}

// limited returns the names of the fields that have permissions.
func limited() []string {
	var names []string
	for _, p := range permissions {
		names = append(names, p.name())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// covers reports whether a value is permitted.
func (f FieldValue) covers(value string) bool {
	if strings.HasSuffix(f.Value, "/") {
		return strings.HasPrefix(value, f.Value) && path.Clean(value) == value
	}
	return f.Value == "*" || f.Value == value
}

func (p permission) name() string { return p.plugin + "." + p.field }
