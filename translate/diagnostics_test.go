package translate_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/kube-sync/kube-sync/e2e/cases"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// whole are the reasons of verdicts that may be about a whole object.
var whole = []string{
	"Deprecated", "NamespaceTooLarge", "NotSupported", "ObjectTooLarge", "TranslationFailed", "UnsupportedVersion",
}

// anyOf are the kinds of which any object in a namespace may be the missing one.
var anyOf = []unit.Kind{unit.KongConsumer, unit.KongVault, unit.ReferenceGrant}

// In all cases of testdata, each verdict names a field that the object's kind has, or an element
// that a list of the object has. It names a missing object if and only if one is missing.
func TestVerdictsNameTheirFields(t *testing.T) {
	cases.Each(t, testdata, func(t *testing.T, _ string, archive *txtar.Archive) {
		g := goldenGraph(t, archive)
		for key, verdicts := range g.AllVerdicts() {
			for _, v := range verdicts {
				wantFault(t, g, key, v)
			}
		}
		for key, status := range g.Statuses() {
			for _, v := range status.Diagnostics() {
				wantFault(t, g, key, v)
			}
		}
	})
}

func wantFault(t *testing.T, g *unit.Graph, key unit.Key, v unit.Verdict) {
	t.Helper()
	if v.OK {
		return
	}
	if v.Object != key {
		t.Errorf("%s: %s is about %s", key, v.Reason, v.Object)
	}
	if v.Field == "" && !slices.Contains(whole, v.Reason) {
		t.Errorf("%s: %s: %s: names no field", key, v.Reason, v.Message)
	}
	if object := g.Object(key); object != nil && !resolves(reflect.ValueOf(object), v.Field.Steps()) {
		t.Errorf("%s: %s: %s: there is no field %q", key, v.Reason, v.Message, v.Field)
	}
	missing := v.Missing != unit.Key{}
	if strings.HasSuffix(v.Reason, "NotFound") && !missing && !exists(g, v) {
		t.Errorf("%s: %s: %s: names no missing object", key, v.Reason, v.Message)
	}
	if v.Reason == "RefNotPermitted" && v.Missing.Kind != unit.ReferenceGrant {
		t.Errorf("%s: %s: %s: the missing object is %s, want a ReferenceGrant", key, v.Reason, v.Message, v.Missing)
	}
	if missing && v.Missing.Name == "" && !slices.Contains(anyOf, v.Missing.Kind) {
		t.Errorf("%s: %s: the missing %s has no name", key, v.Reason, v.Missing.Kind)
	}
	if missing && g.Object(v.Missing) != nil {
		t.Errorf("%s: %s: %s exists", key, v.Reason, v.Missing)
	}
}

// exists reports whether a verdict is about an object that exists and cannot be used: it lacks the
// port, or it is a Service without an endpoint that the gateway may connect to.
func exists(g *unit.Graph, v unit.Verdict) bool {
	steps := v.Field.Steps()
	if slices.Contains(steps, "port") || slices.Contains(steps, "servicePort") {
		return true
	}
	object := reflect.ValueOf(g.Object(v.Object))
	name, _ := fieldAt(object, steps)
	namespace, ok := fieldAt(object, append(steps[:len(steps)-1:len(steps)-1], "namespace"))
	service := unit.Service.Key(v.Object.Namespace, name.String())
	if ok && namespace.String() != "" {
		service.Namespace = namespace.String()
	}
	return v.Reason == "BackendNotFound" && g.Object(service) != nil
}

var jsonType = reflect.TypeFor[apiextensionsv1.JSON]()

// resolves reports whether a value has a field.
func resolves(v reflect.Value, steps []string) bool {
	_, ok := fieldAt(v, steps)
	return ok
}

// fieldAt returns a field of a value. An unset value has the fields of its type, and a map has every
// key.
func fieldAt(v reflect.Value, steps []string) (reflect.Value, bool) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() && v.Kind() == reflect.Interface {
			return v, true // any field is possible in JSON
		}
		if v.IsNil() {
			v = reflect.Zero(v.Type().Elem())
		} else {
			v = v.Elem()
		}
	}
	if len(steps) == 0 {
		return v, true
	}
	if v.Type() == jsonType {
		var tree any
		_ = json.Unmarshal(v.Interface().(apiextensionsv1.JSON).Raw, &tree)
		if tree == nil {
			return v, true
		}
		return fieldAt(reflect.ValueOf(tree), steps)
	}
	switch v.Kind() {
	case reflect.Struct:
		if field, ok := jsonField(v, steps[0]); ok {
			return fieldAt(field, steps[1:])
		}
	case reflect.Map:
		value := v.MapIndex(reflect.ValueOf(steps[0]).Convert(v.Type().Key()))
		if !value.IsValid() {
			return v, true
		}
		return fieldAt(value, steps[1:])
	case reflect.Slice:
		if i, err := strconv.Atoi(steps[0]); err == nil && i >= 0 && i < v.Len() {
			return fieldAt(v.Index(i), steps[1:])
		}
	}
	return v, false
}

// jsonField returns a field by its name in JSON, also of inlined structs.
func jsonField(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		tag, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if tag == name {
			return v.Field(i), true
		}
		inline := strings.Contains(options, "inline") || v.Type().Field(i).Anonymous && tag == ""
		if inner := v.Field(i); inline && inner.Kind() == reflect.Struct {
			if field, ok := jsonField(inner, name); ok {
				return field, true
			}
		}
	}
	return reflect.Value{}, false
}

// The test above depends on resolves to be false for fields that do not exist.
func TestResolves(t *testing.T) {
	ingress := newIngress("web", "shop.example")
	for path, want := range map[string]bool{
		"": true, "spec.rules[0].http.paths[0].backend.service.port.number": true, "spec.defaultBackend.resource.name": true,
		"metadata.annotations[konghq.com/methods]": true, "spec.rules[1]": false, "spec.rules[0].paths": false,
		"spec.ingressClassName.name": false, "spec.rules.host": false, "spec.tls[0]": false,
	} {
		if got := resolves(reflect.ValueOf(ingress), field.Path(path).Steps()); got != want {
			t.Errorf("%q resolves: %t, want %t", path, got, want)
		}
	}
}
