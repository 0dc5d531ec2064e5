package tenancy

import (
	"fmt"
	"maps"
	"slices"
)

// config is the root of a plugin's fields in messages.
const config = "config"

// Strings calls a function with each string in a tree of JSON values and the path of its
// field, in a stable order, until the function returns an error. The path of the tree
// itself comes first.
func Strings(tree any, path string, each func(path, text string) error) error {
	switch tree := tree.(type) {
	case string:
		return each(path, tree)
	case []any:
		for i, value := range tree {
			if err := Strings(value, fmt.Sprintf("%s[%d]", path, i), each); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(tree)) {
			if err := Strings(tree[name], path+"."+name, each); err != nil {
				return err
			}
		}
	}
	return nil
}

// at returns the values of a field, whose names are in order. Items of lists on the way
// are all looked at. A field that is null is not set.
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
