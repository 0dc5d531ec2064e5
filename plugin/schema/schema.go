package schema

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// definitions are the specs of CustomResourceDefinitions as a JSON array, compressed.
// The test of this package makes them.
//
//go:embed definitions.json.gz
var definitions []byte

// specs are the definitions by kind.
var specs = sync.OnceValues(func() (map[schema.GroupKind]apiextensionsv1.CustomResourceDefinitionSpec, error) {
	plain, err := gzip.NewReader(bytes.NewReader(definitions))
	if err != nil {
		return nil, err
	}
	var list []apiextensionsv1.CustomResourceDefinitionSpec
	if err := json.NewDecoder(plain).Decode(&list); err != nil {
		return nil, err
	}
	byKind := map[schema.GroupKind]apiextensionsv1.CustomResourceDefinitionSpec{}
	for _, spec := range list {
		byKind[schema.GroupKind{Group: spec.Group, Kind: spec.Names.Kind}] = spec
	}
	return byKind, nil
})

// Group tells whether kinds of an API group are defined here.
func Group(group string) bool {
	byKind, _ := specs()
	for kind := range byKind {
		if kind.Group == group {
			return true
		}
	}
	return false
}

// Schemas are those of the kinds that have been asked for. The zero value is ready.
type Schemas struct {
	made map[schema.GroupVersionKind]*kind
}

// kind is what objects of one kind and version are held to.
type kind struct {
	structure *structural.Structural
	schema    validation.SchemaValidator
	rules     *cel.Validator
}

// of gives the schema of a kind; nil if the kind is not defined here.
func (s *Schemas) of(gvk schema.GroupVersionKind) (*kind, error) {
	if made := s.made[gvk]; made != nil {
		return made, nil
	}
	byKind, err := specs()
	if err != nil {
		return nil, fmt.Errorf("the definitions of custom kinds: %w", err)
	}
	spec, ok := byKind[gvk.GroupKind()]
	if !ok {
		return nil, nil
	}
	for _, version := range spec.Versions {
		if version.Name != gvk.Version || !version.Served {
			continue
		}
		made, err := newKind(version.Schema)
		if err != nil {
			return nil, fmt.Errorf("the schema of %s: %w", gvk, err)
		}
		if s.made == nil {
			s.made = map[schema.GroupVersionKind]*kind{}
		}
		s.made[gvk] = made
		return made, nil
	}
	return nil, fmt.Errorf("%s is not served in version %s", gvk.Kind, gvk.GroupVersion())
}

func newKind(defined *apiextensionsv1.CustomResourceValidation) (*kind, error) {
	var internal apiextensions.CustomResourceValidation
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(defined, &internal, nil); err != nil {
		return nil, err
	}
	structure, err := structural.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	validator, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	return &kind{structure, validator, cel.NewValidator(structure, true, celconfig.PerCallLimit)}, nil
}
