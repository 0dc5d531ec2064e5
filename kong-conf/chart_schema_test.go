package kongconf_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/kube-sync/kube-sync/plugin/settings"
)

// TestValuesSchema compares chart/values.schema.json with values.yaml and kube-sync's table of settings.
func TestValuesSchema(t *testing.T) {
	schema := schemaOf(t, chartValuesNode(t), "")
	schema["$schema"] = "http://json-schema.org/draft-07/schema#"
	// Helm itself sets global, and so do charts that have this one as a dependency.
	schema["properties"].(map[string]any)["global"] = map[string]any{"type": "object"}
	var want bytes.Buffer
	encoder := json.NewEncoder(&want)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		t.Fatal(err)
	}
	generated(t, "chart/values.schema.json", want.String())
}

// TestChartPage compares chart/README.md with the same sources.
func TestChartPage(t *testing.T) {
	var page strings.Builder
	page.WriteString(chartPageHead)
	page.WriteString("## Values\n\n| Value | Default | |\n|---|---|---|\n")
	for _, row := range valueRows(t, chartValuesNode(t), "") {
		page.WriteString(row)
	}
	page.WriteString("\n## Settings of kube-sync\n\nThe keys of `settings`. Lists may be written as YAML lists.\n\n| Value | Setting | Default | |\n|---|---|---|---|\n")
	for _, s := range settings.Table() {
		deflt := ""
		if s.Default != "" {
			deflt = "`" + s.Default + "`"
		}
		fmt.Fprintf(&page, "| `settings.%s` | `%s` | %s | %s |\n", camel(s.Name), s.Name, deflt, cell(s.Doc))
	}
	generated(t, "chart/README.md", page.String())
}

const chartPageHead = `# The chart kube-sync

A Kong Gateway that configures itself from Kubernetes. "make manifests" generates this page from values.yaml and from
kube-sync's settings.

` + "```sh" + `
helm install kong kong-conf/chart --namespace kong --create-namespace --set image.repository=YOUR-REGISTRY/kong-kube-sync
` + "```" + `

The definitions of Gateway API and of Kong's kinds are in the image, in the versions that kube-sync is tested with. They are not in the
chart, because Helm never upgrades definitions:

` + "```sh" + `
docker run --rm YOUR-REGISTRY/kong-kube-sync kube-sync definitions | kubectl apply --server-side -f -
` + "```" + `

An upgrade does not keep values: pass your values file each time. An unknown value, or one of a wrong type, is an error.

`

// generated compares a generated file with what it should be. With -update it writes the file.
func generated(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s differs from its sources; run make manifests:\n%s", file, diff)
	}
}

func chartValuesNode(t *testing.T) *yaml.Node {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(readFile(t, "chart/values.yaml")), &document); err != nil {
		t.Fatal(err)
	}
	return document.Content[0]
}

// camel returns the name of a setting in the chart's values: WATCH_NAMESPACE is watchNamespace.
func camel(name string) string {
	var key strings.Builder
	for i, word := range strings.Split(strings.ToLower(name), "_") {
		if i > 0 {
			word = strings.ToUpper(word[:1]) + word[1:]
		}
		key.WriteString(word)
	}
	return key.String()
}

// comment returns the description above a key, and the additions to its schema in a line "@schema {…}".
func comment(t *testing.T, key *yaml.Node) (text string, schema map[string]any) {
	t.Helper()
	var words []string
	for line := range strings.SplitSeq(key.HeadComment, "\n") {
		line = strings.TrimSpace(strings.TrimPrefix(line, "#"))
		if added, ok := strings.CutPrefix(line, "@schema "); ok {
			if err := json.Unmarshal([]byte(added), &schema); err != nil {
				t.Fatalf("%s: %s: %v", key.Value, line, err)
			}
		} else if line != "" {
			words = append(words, line)
		}
	}
	return strings.Join(words, " "), schema
}

func schemaOf(t *testing.T, value *yaml.Node, path string) map[string]any {
	t.Helper()
	switch {
	case path == "settings.":
		return settingsSchema()
	case value.Kind == yaml.SequenceNode:
		return map[string]any{"type": "array"}
	case value.Kind == yaml.MappingNode && len(value.Content) == 0:
		return map[string]any{"type": "object"}
	case value.Kind == yaml.MappingNode:
		properties := map[string]any{}
		for i := 0; i < len(value.Content); i += 2 {
			key := value.Content[i]
			text, added := comment(t, key)
			property := schemaOf(t, value.Content[i+1], path+key.Value+".")
			if added["additionalProperties"] == true {
				delete(property, "properties")
				delete(property, "additionalProperties")
				delete(added, "additionalProperties")
			}
			if added["enum"] != nil {
				delete(property, "type")
			}
			for name, value := range added {
				property[name] = value
			}
			if text != "" {
				property["description"] = text
			}
			if property["type"] == nil && property["enum"] == nil {
				t.Errorf("values.yaml: %s%s has no type", path, key.Value)
			}
			properties[key.Value] = property
		}
		return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	case value.Tag == "!!null":
		return map[string]any{}
	}
	return map[string]any{"type": map[string]string{"!!str": "string", "!!int": "integer", "!!bool": "boolean"}[value.Tag]}
}

func settingsSchema() map[string]any {
	properties := map[string]any{}
	for _, s := range settings.Table() {
		property := map[string]any{"description": s.Name + ": " + s.Doc}
		if s.Default != "" {
			property["description"] = property["description"].(string) + " Default: " + s.Default
		}
		switch s.Type {
		case settings.Boolean:
			property["type"] = "boolean"
		case settings.Integer:
			property["type"], property["minimum"] = "integer", 0
			if s.Check("0") != nil {
				property["minimum"] = 1
			}
		case settings.Number:
			property["type"], property["exclusiveMinimum"] = "number", 0
		case settings.Size:
			property["type"], property["pattern"] = []string{"string", "integer"}, "^[0-9]+[kmgKMG]?$"
		case settings.List:
			property["type"], property["items"] = []string{"string", "array"}, map[string]any{"type": []string{"string", "integer"}}
		default:
			property["type"] = "string"
		}
		if s.Values != nil {
			property["enum"] = s.Values
		}
		properties[camel(s.Name)] = property
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
}

// valueRows returns the rows of the page for all values below a path.
func valueRows(t *testing.T, value *yaml.Node, path string) (rows []string) {
	t.Helper()
	for i := 0; i < len(value.Content); i += 2 {
		key, child := value.Content[i], value.Content[i+1]
		text, added := comment(t, key)
		whole := child.Kind != yaml.MappingNode || len(child.Content) == 0 || added["additionalProperties"] == true
		if text != "" || whole {
			deflt := ""
			if whole {
				deflt = "`" + flow(t, child) + "`"
			}
			rows = append(rows, fmt.Sprintf("| `%s%s` | %s | %s |\n", path, key.Value, cell(deflt), cell(text)))
		}
		if !whole {
			rows = append(rows, valueRows(t, child, path+key.Value+".")...)
		}
	}
	return rows
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// flow returns a value as one line, without comments.
func flow(t *testing.T, value *yaml.Node) string {
	t.Helper()
	var plain any
	if err := value.Decode(&plain); err != nil {
		t.Fatal(err)
	}
	if text, ok := plain.(string); ok && text != "" {
		return text
	}
	line, err := json.Marshal(plain)
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}
