package declarative

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	serviceID  = "11111111-1111-4111-8111-111111111111"
	routeID    = "22222222-2222-4222-8222-222222222222"
	upstreamID = "33333333-3333-4333-8333-333333333333"
)

// config returns a configuration with the entities.
func config(entities string) []byte {
	return []byte(`{"_format_version": "3.0", ` + entities + `}`)
}

func TestRead(t *testing.T) {
	c, err := Read(config(`
		"services": [{"id": "`+serviceID+`", "name": "s", "host": "u"}],
		"routes": [{"id": "`+routeID+`", "name": "r", "service": "s", "expression": "http.path ^= \"/\""}],
		"upstreams": [{"id": "`+upstreamID+`", "name": "u"}],
		"targets": [{"upstream": "`+upstreamID+`", "target": "[::1]:81", "weight": 0}],
		"plugins": [{"name": "request-termination", "route": {"id": "`+routeID+`"}},
			{"name": "key-auth", "enabled": false}],
		"consumers": []`), Bundled)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Services[serviceID]
	if s.Protocol != "http" || s.Port != 80 || s.Retries != 5 || s.ConnectTimeout != 60_000 || !s.Enabled {
		t.Errorf("service without Kong's defaults: %+v", s)
	}
	r := c.Routes[0]
	if r.ServiceID != serviceID || !r.StripPath || r.RedirectStatusCode != 426 || r.Program == nil {
		t.Errorf("route without Kong's defaults or its service: %+v", r)
	}
	if target := c.Upstreams["u"].Targets[0]; target.Host != "::1" || target.Port != 81 || target.Weight != 0 {
		t.Errorf("target: %+v", target)
	}
	if len(c.Plugins) != 1 || c.Plugins[0].RouteID != routeID || c.Plugins[0].Config.StatusCode != 503 {
		t.Errorf("plugins: %+v", c.Plugins)
	}
	if diff := cmp.Diff([]string{"consumers"}, c.Ignored); diff != "" {
		t.Error(diff)
	}
}

func TestReadNestedYAML(t *testing.T) {
	c, err := Read([]byte(`
_format_version: "3.0"
services:
- name: s
  host: u
  routes:
  - name: r
    expression: http.path ^= "/"
    plugins:
    - name: request-termination
      config: {status_code: 418, message: short and stout}
upstreams:
- name: u
  targets:
  - target: 10.0.0.1:80
`), Bundled)
	if err != nil {
		t.Fatal(err)
	}
	r := c.Routes[0]
	if c.Services[r.ServiceID] == nil || c.Plugins[0].RouteID != r.ID || len(c.Upstreams["u"].Targets) != 1 {
		t.Errorf("nested entities lost their parents: %+v %+v", r, c.Plugins[0])
	}
	if c.Plugins[0].Config.StatusCode != 418 {
		t.Errorf("plugin's configuration: %+v", c.Plugins[0].Config)
	}
}

func TestRefusalOfEntities(t *testing.T) {
	tests := map[string]struct {
		entity string
		want   FieldError
	}{
		"unknown field":       {`"services": [{"host": "u", "color": 1}]`, FieldError{"field", "color", "unknown field"}},
		"missing":             {`"services": [{"name": "s"}]`, FieldError{"field", "host", "required field missing"}},
		"range":               {`"targets": [{"upstream": "u", "target": "a:1", "weight": 65536}]`, FieldError{"field", "weight", "value should be between 0 and 65535"}},
		"one of":              {`"routes": [{"expression": "http.path == \"\"", "https_redirect_status_code": 303}]`, FieldError{"field", "https_redirect_status_code", "expected one of: 426, 301, 302, 307, 308"}},
		"type":                {`"routes": [{"expression": "http.path == \"\"", "strip_path": "yes"}]`, FieldError{"field", "strip_path", "expected a boolean"}},
		"id":                  {`"services": [{"host": "u", "id": "7"}]`, FieldError{"field", "id", "expected a valid UUID"}},
		"name":                {`"services": [{"host": "u", "name": "a b"}]`, FieldError{"field", "name", "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~"}},
		"target":              {`"targets": [{"upstream": "u", "target": "a b:1"}]`, FieldError{"field", "target", "Invalid target ('a b:1'); not a valid hostname or ip address"}},
		"plugin's field":      {`"plugins": [{"name": "request-termination", "config": {"status_code": 99}}]`, FieldError{"field", "config.status_code", "value should be between 100 and 599"}},
		"plugin":              {`"plugins": [{"name": "mine"}]`, FieldError{"field", "name", "plugin 'mine' not enabled; add it to the 'plugins' configuration property"}},
		"entity of two names": {`"services": [{"host": "u", "name": "s"}, {"host": "u", "name": "s", "id": "` + serviceID + `"}]`, FieldError{"entity", "", "uniqueness violation: 'services' entity with name set to 's' already declared"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Read(config(tt.entity), Bundled)
			var refusal *Refusal
			if !errors.As(err, &refusal) || len(refusal.refused) != 1 {
				t.Fatalf("got %v, expected one rejected entity", err)
			}
			if diff := cmp.Diff([]FieldError{tt.want}, refusal.refused[0].Errors); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefusalShape(t *testing.T) {
	_, err := Read(config(`"routes": [
		{"name": "good", "expression": "http.path == \"/\""},
		{"id": "`+routeID+`", "name": "bad", "expression": "http.nose == \"/\"", "tags": ["k8s-name:x"]}]`), Bundled)
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	got := map[string]any{}
	data, err := json.Marshal(refusal.Flatten())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "message")
	entity := got["flattened_errors"].([]any)[0].(map[string]any)
	words := entity["errors"].([]any)[0].(map[string]any)
	if message := words["message"].(string); !strings.HasPrefix(message, "Router Expression failed validation: ") {
		t.Errorf("message %q", message)
	}
	delete(words, "message")
	delete(entity, "entity")
	want := map[string]any{
		"code": 14.0, "name": "invalid declarative configuration", "fields": map[string]any{},
		"flattened_errors": []any{map[string]any{
			"entity_type": "route", "entity_id": routeID, "entity_name": "bad", "entity_tags": []any{"k8s-name:x"},
			"errors": []any{map[string]any{"type": "entity"}},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if positions, _ := refusal.Fields["routes"].([]any); len(positions) != 2 || positions[0] != nil {
		t.Errorf("unflattened errors do not give the position: %v", refusal.Fields)
	}
}

// Kong records broken references under names, which its flattening does not read.
func TestBrokenReferenceIsLostByFlattening(t *testing.T) {
	_, err := Read(config(`"routes": [{"name": "r", "service": "nobody", "expression": "http.path == \"/\""}]`), Bundled)
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	for want, r := range map[string]*Refusal{
		`"fields":{"routes":{"r":["invalid reference 'service: nobody' (no such entry in 'services')"]}}`: refusal,
		`"fields":{},"flattened_errors":{}`: refusal.Flatten(),
	} {
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), want) {
			t.Errorf("%s is not in %s", want, data)
		}
	}
}

func TestRefusalOfTheWhole(t *testing.T) {
	for body, field := range map[string]string{
		`{"services": []}`:                           "_format_version",
		`{"_format_version": "9"}`:                   "_format_version",
		`{"_format_version": "3.0", "nonsense": []}`: "nonsense",
		`{"_format_version": "3.0", "routes": {}}`:   "routes",
		`[`: "error",
	} {
		_, err := Read([]byte(body), Bundled)
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Fields[field] == nil {
			t.Errorf("%s: got %v, expected an error of %s", body, err, field)
		}
	}
}
