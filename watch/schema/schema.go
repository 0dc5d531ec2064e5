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

// definitions are the specs of CustomResourceDefinitions as compressed JSON: "all" are those
// with every field, "standard" those of Gateway API's standard channel.
//
//go:generate go run ./generate
//go:embed definitions.json.gz
var definitions []byte

// byKind holds definitions by their kinds.
type byKind map[schema.GroupKind]apiextensionsv1.CustomResourceDefinitionSpec

// channels holds the definitions with every field, and the standard channel's definitions of
// the kinds that have them.
type channels struct{ all, standard byKind }

// specs returns the definitions.
var specs = sync.OnceValues(func() (channels, error) {
	plain, err := gzip.NewReader(bytes.NewReader(definitions))
	if err != nil {
		return channels{}, err
	}
	var lists struct {
		All, Standard []apiextensionsv1.CustomResourceDefinitionSpec
	}
	if err := json.NewDecoder(plain).Decode(&lists); err != nil {
		return channels{}, err
	}
	return channels{indexed(lists.All), indexed(lists.Standard)}, nil
})

func indexed(list []apiextensionsv1.CustomResourceDefinitionSpec) byKind {
	all := byKind{}
	for _, spec := range list {
		all[schema.GroupKind{Group: spec.Group, Kind: spec.Names.Kind}] = spec
	}
	return all
}

// Group reports whether kinds of an API group are defined here.
func Group(group string) bool {
	defined, _ := specs()
	for kind := range defined.all {
		if kind.Group == group {
			return true
		}
	}
	return false
}

// equivalents maps kinds and versions of other releases, which the definitions lack, to those
// with the same fields.
var equivalents = map[schema.GroupVersionKind]schema.GroupVersionKind{
	{Group: "gateway.networking.k8s.io", Version: "v1alpha2", Kind: "GRPCRoute"}: {
		Group: "gateway.networking.k8s.io", Version: "v1", Kind: "GRPCRoute"},
	{Group: "gateway.networking.x-k8s.io", Version: "v1alpha1", Kind: "XListenerSet"}: {
		Group: "gateway.networking.k8s.io", Version: "v1", Kind: "ListenerSet"},
}

// kind is the schema of one kind and version.
type kind struct {
	namespaced bool
	structure  *structural.Structural
	// rules compiles the rules at the first call, because that takes time.
	rules func() (rules, error)
}

// rules validate the fields of the standard channel.
type rules struct {
	structure *structural.Structural
	schema    validation.SchemaValidator
	cel       *cel.Validator
}

// kinds caches the schemas.
var kinds = struct {
	sync.Mutex
	made map[schema.GroupVersionKind]*kind
}{made: map[schema.GroupVersionKind]*kind{}}

// of returns the schema of a kind; nil if the kind is not defined here. Versions that the
// definitions do not serve are valid too, because other releases serve them.
func of(gvk schema.GroupVersionKind) (*kind, error) {
	kinds.Lock()
	defer kinds.Unlock()
	if made := kinds.made[gvk]; made != nil {
		return made, nil
	}
	defined, err := specs()
	if err != nil {
		return nil, fmt.Errorf("the definitions of custom kinds: %w", err)
	}
	at := gvk
	if other, ok := equivalents[gvk]; ok {
		at = other
	}
	if _, ok := defined.all[at.GroupKind()]; !ok {
		return nil, nil
	}
	all := defined.all.version(at)
	if all == nil {
		return nil, fmt.Errorf("%s is not served in version %s", gvk.Kind, gvk.GroupVersion())
	}
	made, err := newKind(defined.all[at.GroupKind()].Scope == apiextensionsv1.NamespaceScoped, all, defined.standard.version(at))
	if err != nil {
		return nil, fmt.Errorf("the schema of %s: %w", gvk, err)
	}
	kinds.made[gvk] = made
	return made, nil
}

// version returns the schema of a kind's version; nil if there is none.
func (b byKind) version(gvk schema.GroupVersionKind) *apiextensionsv1.CustomResourceValidation {
	for _, version := range b[gvk.GroupKind()].Versions {
		if version.Name == gvk.Version {
			return version.Schema
		}
	}
	return nil
}

// newKind returns a kind of the schema with all fields and the schema of the standard channel. The
// latter is nil if it is the same.
func newKind(namespaced bool, all, standard *apiextensionsv1.CustomResourceValidation) (*kind, error) {
	structure, _, err := structureOf(all)
	if err != nil {
		return nil, err
	}
	if standard == nil {
		standard = all
	}
	return &kind{namespaced: namespaced, structure: structure, rules: sync.OnceValues(func() (rules, error) {
		structure, properties, err := structureOf(standard)
		if err != nil {
			return rules{}, err
		}
		validator, _, err := validation.NewSchemaValidator(properties)
		return rules{structure, validator, cel.NewValidator(structure, true, celconfig.PerCallLimit)}, err
	})}, nil
}

func structureOf(defined *apiextensionsv1.CustomResourceValidation) (*structural.Structural, *apiextensions.JSONSchemaProps, error) {
	var internal apiextensions.CustomResourceValidation
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(defined, &internal, nil); err != nil {
		return nil, nil, err
	}
	structure, err := structural.NewStructural(internal.OpenAPIV3Schema)
	return structure, internal.OpenAPIV3Schema, err
}
