package schema

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	kjson "sigs.k8s.io/json"
)

// Admit returns an object, which is JSON, as an API server would store it, and the reasons for
// which the server would refuse it. Errors about a field are of type [*field.Error]. An
// object of a kind that is not defined here is returned unchanged.
func Admit(gvk schema.GroupVersionKind, object []byte) (admitted []byte, refused []error) {
	kind, err := of(gvk)
	if err != nil {
		return object, []error{err}
	}
	if kind == nil {
		return object, nil
	}
	var tree map[string]any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(object, &tree); err != nil {
		return object, []error{err}
	}
	wrong, err := kind.admit(tree)
	if err != nil {
		return object, []error{fmt.Errorf("the rules of %s: %w", gvk, err)}
	}
	for _, err := range wrong {
		refused = append(refused, err)
	}
	admitted, err = json.Marshal(tree)
	if err != nil {
		return object, append(refused, fmt.Errorf("encoding the admitted object: %w", err))
	}
	return admitted, refused
}

// Default returns an object, which is JSON, with the defaults of its definition, and without
// the nulls that an API server drops. An object of a kind or version that is not defined here
// is returned unchanged.
func Default(gvk schema.GroupVersionKind, object []byte) ([]byte, error) {
	kind, err := of(gvk)
	if err != nil || kind == nil {
		return object, nil // the caller decides whether the version exists
	}
	tree, err := decode(object)
	if err != nil {
		return nil, err
	}
	status, has := tree["status"]
	kind.fill(tree)
	if has {
		tree["status"] = status
	}
	return json.Marshal(tree)
}

// decode reads an object. It keeps numbers as they are written, with all digits.
func decode(object []byte) (tree map[string]any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber()
	err = decoder.Decode(&tree)
	return tree, err
}

// fill drops nulls and adds defaults, and removes the status.
func (k *kind) fill(tree map[string]any) {
	delete(tree, "status")
	defaulting.PruneNonNullableNullsWithoutDefaults(tree, k.structure)
	defaulting.Default(tree, k.structure)
	delete(tree, "status")
}

// admit changes the tree to the stored object. It removes the status without validation, as an
// API server does when it creates an object.
func (k *kind) admit(tree map[string]any) (all field.ErrorList, err error) {
	rules, err := k.rules()
	if err != nil {
		return nil, err
	}
	delete(tree, "status")
	pruned := pruning.PruneWithOptions(tree, k.structure, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range pruned {
		all = append(all, field.Invalid(at(path), field.OmitValueType{}, "unknown field"))
	}
	k.fill(tree)
	// Of the experimental channel's fields only the names are validated.
	standard := runtime.DeepCopyJSON(tree)
	pruning.Prune(standard, rules.structure, true)
	wrong := validation.ValidateCustomResource(nil, standard, rules.schema)
	wrong = append(wrong, listtype.ValidateListSetsAndMaps(nil, rules.structure, standard)...)
	// CEL rules are evaluated only for objects of valid types.
	if len(wrong) == 0 && rules.cel != nil {
		broken, _ := rules.cel.Validate(context.Background(), nil, rules.structure, standard, nil, celconfig.RuntimeCELCostBudget)
		wrong = append(wrong, broken...)
	}
	return append(all, wrong...), nil
}

// at returns the path of a field in the form of [field.Error].
func at(path string) *field.Path { return field.NewPath(path) }
