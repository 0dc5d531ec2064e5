package declarative

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/translate/expression"
)

// Read reads a configuration in JSON or YAML. Plugins names the plugins that are
// enabled. An error is a *[Refusal].
func Read(body []byte, plugins []string) (*Config, error) {
	tree, err := parse(body)
	if err != nil {
		return nil, refusalOfFields(map[string]any{"error": err.Error()}, err.Error())
	}
	r := &reader{
		plugins: plugins, lists: map[string][]Entity{}, config: &Config{},
		pairs: map[string]tls.Certificate{}, programs: map[string]*expression.Program{},
		ids: map[string]map[string]string{},
	}
	for _, pass := range []func() *Refusal{
		func() *Refusal { return r.collect(tree) }, r.checkEntities, r.checkIdentities, r.checkReferences,
	} {
		if refusal := pass(); refusal != nil {
			return nil, refusal
		}
	}
	if err := r.build(); err != nil {
		return nil, refusalOfFields(map[string]any{"error": err.Error()}, err.Error())
	}
	return r.config, nil
}

// reader is the state of one Read.
type reader struct {
	plugins []string
	lists   map[string][]Entity
	config  *Config
	// pairs and programs are the results of checks, for build.
	pairs    map[string]tls.Certificate
	programs map[string]*expression.Program
	// ids has the ids of entities by their names and ids.
	ids map[string]map[string]string
}

func parse(body []byte) (tree map[string]any, err error) {
	if json.Unmarshal(body, &tree) == nil {
		return tree, nil
	}
	if err := yaml.Unmarshal(body, &tree); err != nil {
		return nil, fmt.Errorf("failed parsing declarative configuration: %w", err)
	}
	if tree == nil {
		return nil, fmt.Errorf("failed parsing declarative configuration: expected an object")
	}
	return tree, nil
}

// collect puts the entities into their collections, nested ones included.
func (r *reader) collect(tree map[string]any) *Refusal {
	fields := map[string]any{}
	switch version, _ := tree["_format_version"].(string); version {
	case "1.1", "2.1", "3.0":
	case "":
		fields["_format_version"] = "required field missing"
	default:
		fields["_format_version"] = "expected one of: 1.1, 2.1, 3.0"
	}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		list, isList := tree[name].([]any)
		_, served := schemas[name]
		switch {
		case strings.HasPrefix(name, "_") || tree[name] == nil:
		case slices.Contains(ignored, name):
			r.config.Ignored = append(r.config.Ignored, name)
		case !served:
			fields[name] = "unknown field"
		case !isList:
			fields[name] = "expected an array"
		case !r.add(name, "", "", list):
			fields[name] = "expected a record"
		}
	}
	if len(fields) > 0 {
		return refusalOfFields(fields, fmt.Sprint(fields))
	}
	return nil
}

// add adds a list of entities and their nested entities, which get a reference to
// their parent.
func (r *reader) add(collection, parentField, parentID string, list []any) bool {
	for _, item := range list {
		e, ok := item.(map[string]any)
		if !ok {
			return false
		}
		if parentField != "" && e[parentField] == nil {
			e[parentField] = parentID
		}
		ensureID(collection, e)
		r.lists[collection] = append(r.lists[collection], e)
		for child, field := range children[collection] {
			nested, ok := e[child].([]any)
			if !ok {
				continue
			}
			delete(e, child)
			id, _ := e["id"].(string)
			if !r.add(child, field, id, nested) {
				return false
			}
		}
	}
	return true
}
