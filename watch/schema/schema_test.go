package schema

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

func TestAdmit(t *testing.T) {
	for name, test := range map[string]struct {
		object string
		want   []string // the errors
	}{
		"good":             {`{apiVersion: configuration.konghq.com/v1, kind: KongPlugin, metadata: {name: a}, plugin: cors, config: {any: thing}}`, nil},
		"an unknown field": {`{apiVersion: configuration.konghq.com/v1, kind: KongPlugin, metadata: {name: a}, plugin: cors, konfig: {}}`, []string{`unknown field "konfig"`}},
		"a wrong type":     {`{apiVersion: configuration.konghq.com/v1, kind: KongPlugin, metadata: {name: a}, plugin: 1}`, []string{`plugin: Invalid value: "integer"`}},
		"a missing field":  {`{apiVersion: configuration.konghq.com/v1, kind: KongPlugin, metadata: {name: a}}`, []string{`plugin: Required value`}},
		"a forbidden value": {`{apiVersion: configuration.konghq.com/v1, kind: KongPlugin, metadata: {name: a}, plugin: cors, protocols: [smtp]}`,
			[]string{`protocols[0]: Unsupported value: "smtp"`}},
		"a broken rule": {`{apiVersion: configuration.konghq.com/v1, kind: KongConsumer, metadata: {name: a}}`,
			[]string{`Invalid value: Need to provide either username or custom_id`}},
		"an item of a list": {`{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a}, spec: {rules: [{matches: [{path: {value: x}}]}]}}`,
			[]string{`spec.rules[0].matches[0].path: Invalid value: value must be an absolute path`}},
		"an older version":                  {`{apiVersion: gateway.networking.k8s.io/v1beta1, kind: HTTPRoute, metadata: {name: a}, spec: {}}`, nil},
		"a version that 1.6 does not serve": {`{apiVersion: gateway.networking.k8s.io/v1alpha2, kind: TLSRoute, metadata: {name: a}, spec: {hostnames: [a.example], rules: [{backendRefs: [{name: a, port: 1}]}]}}`, nil},
		"a version that 1.6 does not have":  {`{apiVersion: gateway.networking.k8s.io/v1alpha2, kind: GRPCRoute, metadata: {name: a}, spec: {rules: [{x: 1}]}}`, []string{`unknown field "spec.rules[0].x"`}},
		"a kind that became another":        {`{apiVersion: gateway.networking.x-k8s.io/v1alpha1, kind: XListenerSet, metadata: {name: a}, spec: {parentRef: {name: a}}}`, []string{`spec.listeners: Required value`}},
		"no such version":                   {`{apiVersion: gateway.networking.k8s.io/v9, kind: HTTPRoute, metadata: {name: a}}`, []string{`HTTPRoute is not served in version gateway.networking.k8s.io/v9`}},
		"a status":                          {`{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a}, spec: {}, status: {x: 1}}`, nil},
		"another kind":                      {`{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}`, nil},
	} {
		object, gvk := parse(t, test.object)
		_, errs := Admit(gvk, object)
		if len(errs) != len(test.want) {
			t.Errorf("%s: %d errors %v, want %q", name, len(errs), errs, test.want)
			continue
		}
		for i, err := range errs {
			if !strings.Contains(err.Error(), test.want[i]) {
				t.Errorf("%s: error %v, want %q", name, err, test.want[i])
			}
		}
	}
}

func TestAdmitFillsInDefaults(t *testing.T) {
	object, gvk := parse(t, `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a}, spec: {rules: [{}]}}`)
	admitted, errs := Admit(gvk, object)
	if want := `"matches":[{"path":{"type":"PathPrefix","value":"/"}}]`; len(errs) > 0 || !strings.Contains(string(admitted), want) {
		t.Errorf("admitted %s, %v; want %s in it", admitted, errs, want)
	}
}

func TestEveryDefinitionCompiles(t *testing.T) {
	defined, err := specs()
	all := defined.all
	if err != nil || len(all) == 0 {
		t.Fatalf("%d definitions: %v", len(all), err)
	}
	for groupKind, spec := range all {
		for _, version := range spec.Versions {
			kind, err := of(groupKind.WithVersion(version.Name))
			if err == nil {
				_, err = kind.rules()
			}
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func parse(t *testing.T, text string) ([]byte, schema.GroupVersionKind) {
	t.Helper()
	object, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var head struct{ APIVersion, Kind string }
	if err := json.Unmarshal(object, &head); err != nil {
		t.Fatal(err)
	}
	return object, schema.FromAPIVersionAndKind(head.APIVersion, head.Kind)
}
