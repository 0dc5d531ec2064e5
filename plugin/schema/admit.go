package schema

import (
	"context"
	"encoding/json"
	"fmt"

	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	kjson "sigs.k8s.io/json"
)

// Admit gives an object, which is JSON, as an API server would store it, and says what
// it would refuse of it. Errors that are about a field are of type [*field.Error]. An
// object of a kind that is not defined here comes back as it is.
func (s *Schemas) Admit(gvk schema.GroupVersionKind, object []byte) (admitted []byte, refused []error) {
	kind, err := s.of(gvk)
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
	for _, err := range kind.admit(tree) {
		refused = append(refused, err)
	}
	admitted, err = json.Marshal(tree)
	if err != nil {
		return object, append(refused, fmt.Errorf("encoding what was admitted: %w", err))
	}
	return admitted, refused
}

// admit changes the tree to what is stored. What a status says is not looked at: an API
// server takes none with an object.
func (k *kind) admit(tree map[string]any) field.ErrorList {
	delete(tree, "status")
	var all field.ErrorList
	pruned := pruning.PruneWithOptions(tree, k.structure, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range pruned {
		all = append(all, field.Invalid(at(path), field.OmitValueType{}, "unknown field"))
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(tree, k.structure)
	defaulting.Default(tree, k.structure)
	wrong := validation.ValidateCustomResource(nil, tree, k.schema)
	wrong = append(wrong, listtype.ValidateListSetsAndMaps(nil, k.structure, tree)...)
	// The rules expect what the types promise.
	if len(wrong) == 0 && k.rules != nil {
		broken, _ := k.rules.Validate(context.Background(), nil, k.structure, tree, nil, celconfig.RuntimeCELCostBudget)
		wrong = append(wrong, broken...)
	}
	return append(all, wrong...)
}

// at is the path of a field in the form that errors have it.
func at(path string) *field.Path { return field.NewPath(path) }
