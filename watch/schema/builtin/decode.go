package builtin

import (
	"encoding/json"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"

	"github.com/kube-sync/kube-sync/translate/field"
)

// DecodeError is a value of a wrong type, such as a string for a port.
type DecodeError struct {
	field field.Path // empty if the whole object cannot be decoded
	err   error
}

// FieldPath returns the path of the value.
func (e *DecodeError) FieldPath() string { return string(e.field) }

func (e *DecodeError) Error() string { return e.FieldPath() + ": " + e.err.Error() }

func (e *DecodeError) Unwrap() error { return e.err }

// undecodable returns the error of decoding an object with the field that causes it. The decoder
// does not say in which element of a list the field is, nor, of some types, which field it is.
func undecodable(gvk schema.GroupVersionKind, object []byte, err error) error {
	var tree any
	if kjson.UnmarshalCaseSensitivePreserveInts(object, &tree) != nil {
		return &DecodeError{err: err}
	}
	return &DecodeError{field: culprit(tree, "", func(part any) bool {
		raw, err := json.Marshal(part)
		if err != nil {
			return true
		}
		typed, err := scheme.New(gvk)
		return err != nil || kjson.UnmarshalCaseSensitivePreserveInts(raw, typed) == nil
	}), err: err}
}

// culprit returns the path of the first innermost value with which alone an object cannot be
// decoded. The function decodes an object that has only one part of the value in this place.
func culprit(value any, at field.Path, decodes func(any) bool) field.Path {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			alone := func(part any) bool { return decodes(map[string]any{name: part}) }
			if !alone(value[name]) {
				return culprit(value[name], at.Child(name), alone)
			}
		}
	case []any:
		for i, element := range value {
			alone := func(part any) bool { return decodes([]any{part}) }
			if !alone(element) {
				return culprit(element, at.Index(i), alone)
			}
		}
	}
	return at
}
