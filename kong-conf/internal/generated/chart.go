package generated

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kube-sync/kube-sync/plugin/settings"
)

// chartFiles generates the schema of the chart's values, and the chart's page.
func (f files) chartFiles() error {
	content, err := os.ReadFile("chart/values.yaml")
	if err != nil {
		return err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return err
	}
	if f["chart/values.schema.json"], err = valuesSchema(document.Content[0]); err != nil {
		return err
	}
	f["chart/README.md"], err = chartPage(document.Content[0])
	return err
}

func valuesSchema(values *yaml.Node) (string, error) {
	schema, err := schemaOf(values, "")
	if err != nil {
		return "", err
	}
	schema["$schema"] = "http://json-schema.org/draft-07/schema#"
	// Helm itself sets global, and so do charts that have this one as a dependency.
	schema["properties"].(map[string]any)["global"] = map[string]any{"type": "object"}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(schema)
	return text.String(), err
}

func chartPage(values *yaml.Node) (string, error) {
	rows, err := valueRows(values, "")
	if err != nil {
		return "", err
	}
	var page strings.Builder
	page.WriteString(chartPageHead)
	page.WriteString("## Values\n\n| Value | Default | |\n|---|---|---|\n" + strings.Join(rows, ""))
	page.WriteString("\n## Settings of kube-sync\n\nThe keys of `settings`. Lists may be written as YAML lists.\n\n| Value | Setting | Default | |\n|---|---|---|---|\n")
	for _, s := range settings.Table() {
		deflt := ""
		if s.Default != "" {
			deflt = "`" + s.Default + "`"
		}
		fmt.Fprintf(&page, "| `settings.%s` | `%s` | %s | %s |\n", ValueKey(s.Name), s.Name, deflt, cell(s.Doc))
	}
	return page.String(), nil
}

const chartPageHead = `# The chart kube-sync

A Kong Gateway that configures itself from Kubernetes. "make generate" generates this page from values.yaml and from
kube-sync's settings.

The definitions of Gateway API and of Kong's kinds are in the image, in the versions that kube-sync is tested with. They are not in the
chart, because Helm never upgrades definitions. Install them first:

` + "```sh" + `
docker run --rm YOUR-REGISTRY/kong-kube-sync:dev kube-sync definitions | kubectl apply --server-side -f -
` + "```" + `

Then install the gateway:

` + "```sh" + `
helm install kong kong-conf/chart --namespace kong --create-namespace \
  --set image.repository=YOUR-REGISTRY/kong-kube-sync,image.tag=dev
` + "```" + `

The chart creates its GatewayClass only where the definitions of Gateway API exist (` + "`gatewayClass.create: auto`" + `). If you install them later, run
` + "`helm upgrade`" + ` once more.

An upgrade does not keep values: pass your values file each time. An unknown value, or one of a wrong type, is an error.
A null removes a default, or what an earlier values file sets; only a section, such as ` + "`proxy`" + `, cannot be null.

`

// ValueKey returns the key of a setting in the chart's values: WATCH_NAMESPACE is watchNamespace.
func ValueKey(name string) string {
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
func comment(key *yaml.Node) (text string, schema map[string]any, err error) {
	var words []string
	for line := range strings.SplitSeq(key.HeadComment, "\n") {
		line = strings.TrimSpace(strings.TrimPrefix(line, "#"))
		if added, ok := strings.CutPrefix(line, "@schema "); ok {
			if err := json.Unmarshal([]byte(added), &schema); err != nil {
				return "", nil, fmt.Errorf("%s: %s: %w", key.Value, line, err)
			}
		} else if line != "" {
			words = append(words, line)
		}
	}
	return strings.Join(words, " "), schema, nil
}

func schemaOf(value *yaml.Node, path string) (map[string]any, error) {
	switch {
	case path == "settings.":
		return settingsSchema(), nil
	case value.Kind == yaml.SequenceNode:
		return map[string]any{"type": "array"}, nil
	case value.Kind == yaml.MappingNode && len(value.Content) == 0:
		return map[string]any{"type": "object"}, nil
	case value.Kind == yaml.MappingNode:
		properties, sections := map[string]any{}, []string{}
		for i := 0; i < len(value.Content); i += 2 {
			key := value.Content[i]
			text, added, err := comment(key)
			if err != nil {
				return nil, err
			}
			property, err := schemaOf(value.Content[i+1], path+key.Value+".")
			if err != nil {
				return nil, err
			}
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
				return nil, fmt.Errorf("values.yaml: %s%s has no type", path, key.Value)
			}
			if property["properties"] != nil {
				sections = append(sections, key.Value)
			}
			properties[key.Value] = property
		}
		object := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
		if len(sections) > 0 {
			// Helm deletes a default that is null. Single values may be deleted, but the templates need each section.
			object["required"] = sections
		}
		return object, nil
	case value.Tag == "!!null":
		return map[string]any{}, nil
	}
	return map[string]any{"type": map[string]string{"!!str": "string", "!!int": "integer", "!!bool": "boolean"}[value.Tag]}, nil
}

// settingsSchema permits null, which removes what another values file sets.
func settingsSchema() map[string]any {
	properties := map[string]any{}
	for _, s := range settings.Table() {
		property := map[string]any{"description": s.Name + ": " + s.Doc}
		if s.Default != "" {
			property["description"] = property["description"].(string) + " Default: " + s.Default
		}
		switch s.Type {
		case settings.Boolean:
			property["type"] = []string{"boolean", "null"}
		case settings.Integer:
			property["type"], property["minimum"] = []string{"integer", "null"}, 0
			if s.Check("0") != nil {
				property["minimum"] = 1
			}
		case settings.Number:
			property["type"], property["exclusiveMinimum"] = []string{"number", "null"}, 0
		case settings.Size:
			property["type"], property["pattern"] = []string{"string", "integer", "null"}, "^[0-9]+[kmgKMG]?$"
		case settings.List:
			property["type"], property["items"] = []string{"string", "array", "null"}, map[string]any{"type": []string{"string", "integer"}}
		default:
			property["type"] = []string{"string", "null"}
		}
		if s.Values != nil {
			values := []any{nil}
			for _, value := range s.Values {
				values = append(values, value)
			}
			property["enum"] = values
		}
		properties[ValueKey(s.Name)] = property
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
}

// valueRows returns the rows of the page for all values below a path.
func valueRows(value *yaml.Node, path string) (rows []string, err error) {
	for i := 0; i < len(value.Content); i += 2 {
		key, child := value.Content[i], value.Content[i+1]
		text, added, err := comment(key)
		if err != nil {
			return nil, err
		}
		whole := child.Kind != yaml.MappingNode || len(child.Content) == 0 || added["additionalProperties"] == true
		if text != "" || whole {
			deflt := ""
			if whole {
				line, err := flow(child)
				if err != nil {
					return nil, err
				}
				deflt = "`" + line + "`"
			}
			rows = append(rows, fmt.Sprintf("| `%s%s` | %s | %s |\n", path, key.Value, cell(deflt), cell(text)))
		}
		if !whole {
			below, err := valueRows(child, path+key.Value+".")
			if err != nil {
				return nil, err
			}
			rows = append(rows, below...)
		}
	}
	return rows, nil
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// flow returns a value as one line, without comments.
func flow(value *yaml.Node) (string, error) {
	var plain any
	if err := value.Decode(&plain); err != nil {
		return "", err
	}
	if text, ok := plain.(string); ok && text != "" {
		return text, nil
	}
	line, err := json.Marshal(plain)
	return string(line), err
}
