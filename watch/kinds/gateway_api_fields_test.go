package kinds

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/kube-sync/kube-sync/e2e/lab"
)

// TestNoFieldOfAReleaseIsDropped checks that every field of an earlier release is a field of the
// kind's type, is converted to one, or is reported as ignored.
func TestNoFieldOfAReleaseIsDropped(t *testing.T) {
	for _, release := range gatewayReleases {
		for _, channel := range []string{"standard", "experimental"} {
			defined := definitionsOf(t, filepath.Join(lab.ModuleVersion(t, lab.GatewayAPI, release), "config/crd", channel))
			for _, kind := range gatewayAPI {
				definition, ok := defined[kind.Resource.GroupResource().String()]
				if !ok {
					continue // of a later release, or the other channel
				}
				for _, path := range unread(*readOf(kind, definition).Schema.OpenAPIV3Schema, reflect.TypeOf(kind.New()), nil) {
					if !handled(t, kind, path) {
						t.Errorf("%s %s: %s: %s is dropped", release, channel, kind.Name, strings.Join(path, "."))
					}
				}
			}
		}
	}
}

// unread returns the paths of the schema's fields that a type does not have. "[]" is a step into
// an array.
func unread(schema apiextensionsv1.JSONSchemaProps, typ reflect.Type, path []string) (paths [][]string) {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if schema.Items != nil && typ.Kind() == reflect.Slice {
		return unread(*schema.Items.Schema, typ.Elem(), append(slices.Clone(path), "[]"))
	}
	if typ.Kind() != reflect.Struct {
		return nil
	}
	for name, property := range schema.Properties {
		at := append(slices.Clone(path), name)
		if len(path) == 0 && name != "spec" {
			continue
		}
		if field, ok := fieldOf(typ, name); ok {
			paths = append(paths, unread(property, field, at)...)
		} else {
			paths = append(paths, at)
		}
	}
	return paths
}

// fieldOf returns the type of the field that has a name in JSON.
func fieldOf(typ reflect.Type, name string) (reflect.Type, bool) {
	for _, field := range reflect.VisibleFields(typ) {
		if tag, _, _ := strings.Cut(field.Tag.Get("json"), ","); tag == name {
			return field.Type, true
		}
	}
	return nil, false
}

// handled reports whether a field is converted or reported as ignored.
func handled(t *testing.T, kind Kind, path []string) bool {
	t.Helper()
	var value any = map[string]any{"name": "x"}
	for _, step := range slices.Backward(path) {
		if step == "[]" {
			value = []any{value}
		} else {
			value = map[string]any{step: value}
		}
	}
	object := value.(map[string]any)
	if kind.Ignored != nil && len(kind.Ignored(object)) > 0 {
		return true
	}
	before, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	if kind.Convert != nil {
		kind.Convert(object)
	}
	after, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(before) != string(after)
}

func TestIgnoredFieldsOfRoutes(t *testing.T) {
	session := func(fields ...any) map[string]any {
		all := map[string]any{}
		for _, field := range fields {
			all[field.(string)] = "1h"
		}
		return map[string]any{"sessionPersistence": all}
	}
	route := map[string]any{"spec": map[string]any{"rules": []any{
		map[string]any{}, session("absoluteTimeout"), session("absoluteTimeout", "idleTimeout"),
	}}}
	var got []string
	for _, ignored := range ignoredOfRoute(route) {
		got = append(got, string(ignored.Path))
	}
	if diff := cmp.Diff([]string{"spec.rules[2].sessionPersistence.idleTimeout"}, got); diff != "" {
		t.Error(diff)
	}
	if ignored := ignoredOfRoute(map[string]any{"spec": "none"}); ignored != nil {
		t.Errorf("%v", ignored)
	}
}
