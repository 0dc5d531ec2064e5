package tenancy

import (
	"maps"
	"slices"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// config is the path of a plugin's configuration.
var config = field.NewPath("config")

// configured returns the path of a field of a plugin's configuration. The name may be dotted.
func configured(name string) field.Path { return config.Child(name) }

// faultAt returns an error with the fault of a field.
func faultAt(path field.Path, err error) error { return unit.WithFault(err, unit.At(path)) }

// Strings calls a function with each string in a tree of JSON values and the path of its
// field, in a stable order, until the function returns an error. The path of the tree
// itself comes first.
func Strings(tree any, path field.Path, each func(path field.Path, text string) error) error {
	switch tree := tree.(type) {
	case string:
		return each(path, tree)
	case []any:
		for i, value := range tree {
			if err := Strings(value, path.Index(i), each); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(tree)) {
			if err := Strings(tree[name], path.Child(name), each); err != nil {
				return err
			}
		}
	}
	return nil
}

// at returns the values of a nested field. It descends into all items of lists. A null field
// counts as unset.
func at(tree any, names []string) (values []any) {
	if list, ok := tree.([]any); ok {
		for _, item := range list {
			values = append(values, at(item, names)...)
		}
		return values
	}
	if len(names) == 0 {
		if tree == nil {
			return nil
		}
		return []any{tree}
	}
	object, ok := tree.(map[string]any)
	if !ok {
		return nil
	}
	return at(object[names[0]], names[1:])
}
