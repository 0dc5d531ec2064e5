package schema

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	kjson "sigs.k8s.io/json"
)

// Admit returns an object, which is JSON, as an API server would store it, and the reasons for
// which the server would refuse it. Errors about a field are of type [*field.Error], or of type
// [*UnknownFieldError]. An object of a kind that is not defined here is returned unchanged.
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
	refused, err = kind.admit(tree)
	if err != nil {
		return object, []error{fmt.Errorf("the rules of %s: %w", gvk, err)}
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
func (k *kind) admit(tree map[string]any) (refused []error, err error) {
	rules, err := k.rules()
	if err != nil {
		return nil, err
	}
	delete(tree, "status")
	pruned := pruning.PruneWithOptions(tree, k.structure, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range pruned {
		refused = append(refused, &UnknownFieldError{path})
	}
	k.fill(tree)
	// Of the experimental channel's fields only the names are validated.
	standard := runtime.DeepCopyJSON(tree)
	pruning.Prune(standard, rules.structure, true)
	wrong := k.metadata(tree)
	wrong = append(wrong, validation.ValidateCustomResource(nil, standard, rules.schema)...)
	wrong = append(wrong, listtype.ValidateListSetsAndMaps(nil, rules.structure, standard)...)
	if rules.cel != nil && !slices.ContainsFunc(wrong, blocksRules) {
		broken, _ := rules.cel.Validate(context.Background(), nil, rules.structure, standard, nil, celconfig.RuntimeCELCostBudget)
		wrong = append(wrong, broken...)
	}
	for _, err := range wrong {
		refused = append(refused, err)
	}
	return refused, nil
}

// blocksRules reports whether an API server evaluates no CEL rules for an object with an error.
func blocksRules(err *field.Error) bool {
	return slices.Contains([]field.ErrorType{
		field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid,
	}, err.Type)
}

// metadata validates the metadata of an object. Metadata that cannot be decoded is refused when the
// object is decoded.
func (k *kind) metadata(tree map[string]any) field.ErrorList {
	object := unstructured.Unstructured{Object: map[string]any{"metadata": tree["metadata"]}}
	switch {
	case !k.namespaced:
		object.SetNamespace("")
	case object.GetNamespace() == "":
		object.SetNamespace(metav1.NamespaceDefault)
	}
	var typed metav1.PartialObjectMetadata
	if runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &typed) != nil {
		return nil
	}
	return metavalidation.ValidateObjectMeta(&typed.ObjectMeta, k.namespaced, metavalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
}

// UnknownFieldError is the error for a field that a kind does not have.
type UnknownFieldError struct{ path string }

// FieldPath returns the path of the field.
func (e *UnknownFieldError) FieldPath() string { return e.path }

func (e *UnknownFieldError) Error() string { return fmt.Sprintf("unknown field %q", e.path) }
