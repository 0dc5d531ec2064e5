package collect

import (
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// public are the fields of plugins whose strings are not secret: choices from a list, names of
// headers and limits. The strings of all other fields are hidden.
var public = []string{
	"policy", "limit_by", "sync_rate", "key_names", "methods", "algorithm", "claims_to_verify", "uri_param_names", "cookie_names",
	"header_names", "hash_on", "strategy", "response_code", "request_method", "content_type", "window_type", "error_code",
}

// redactor hides the secrets of objects and teaches them to a scrubber.
type redactor struct{ scrubber *scrubber }

// hide replaces all strings of a value and keeps its structure. Numbers and switches stay.
func (r redactor) hide(value any) any {
	switch value := value.(type) {
	case string:
		if value == "" {
			return value
		}
		r.scrubber.learn(value)
		return hidden
	case map[string]any:
		for name := range value {
			value[name] = r.hide(value[name])
		}
	case []any:
		for i := range value {
			value[i] = r.hide(value[i])
		}
	}
	return value
}

// hideUnlessPublic hides the strings of a plugin's configuration.
func (r redactor) hideUnlessPublic(config any) any {
	fields, ok := config.(map[string]any)
	if !ok {
		return r.hide(config)
	}
	for name, value := range fields {
		switch nested, isMap := value.(map[string]any); {
		case slices.Contains(public, name):
		case isMap:
			fields[name] = r.hideUnlessPublic(nested)
		default:
			fields[name] = r.hide(value)
		}
	}
	return fields
}

// object hides the secrets of an object, which is changed in place.
func (r redactor) object(kind unit.Kind, object map[string]any) {
	r.annotations(object)
	switch kind {
	case unit.Secret, unit.ConfigMap:
		for _, name := range []string{"data", "binaryData", "stringData"} {
			r.keysOnly(object, name)
		}
	case unit.KongPlugin, unit.KongClusterPlugin:
		replace(object, "config", r.hideUnlessPublic)
		// Patches have values, too.
		replace(object, "configPatches", r.hide)
	case unit.KongVault:
		replace(child(object, "spec"), "config", r.hide)
	case unit.KongCustomEntity:
		replace(child(object, "spec"), "fields", r.hide)
	default:
		r.values(object)
	}
}

// keysOnly replaces the values of a map.
func (r redactor) keysOnly(object map[string]any, name string) {
	data, ok := object[name].(map[string]any)
	if !ok {
		return
	}
	for key, value := range data {
		if text, ok := value.(string); ok {
			r.scrubber.learn(decoded(text))
		}
		data[key] = hidden
	}
}

// ours are the prefixes of annotations that the gateway reads. Their values are kept, but for
// those of headers.
var ours = []string{"konghq.com/", "kubernetes.io/ingress.class", "ingress.kubernetes.io/", "gateway.networking.k8s.io/"}

// annotations hides the values of annotations that the gateway does not read.
func (r redactor) annotations(object map[string]any) {
	metadata := child(object, "metadata")
	delete(metadata, "managedFields")
	annotations, _ := metadata["annotations"].(map[string]any)
	for name, value := range annotations {
		known := slices.ContainsFunc(ours, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if !known || strings.HasPrefix(name, "konghq.com/headers") {
			annotations[name] = r.hide(value)
		}
	}
}

// values hides the field value in lists of names and values: headers that are matched, set and
// added, and query parameters.
func (r redactor) values(tree any) {
	switch tree := tree.(type) {
	case map[string]any:
		for name, value := range tree {
			switch name {
			case "headers", "queryParams", "set", "add":
				r.valuesOf(value)
			}
			r.values(tree[name])
		}
	case []any:
		for _, element := range tree {
			r.values(element)
		}
	}
}

// valuesOf hides the values of a list of names and values, or of a map of headers.
func (r redactor) valuesOf(list any) {
	switch list := list.(type) {
	case []any:
		for _, element := range list {
			if pair, ok := element.(map[string]any); ok && pair["name"] != nil {
				replace(pair, "value", r.hide)
			}
		}
	case map[string]any:
		for name := range list {
			if name != "set" && name != "add" && name != "remove" {
				list[name] = r.hide(list[name])
			}
		}
	}
}

// replace replaces a field that exists.
func replace(object map[string]any, name string, by func(any) any) {
	if value, ok := object[name]; ok && value != nil {
		object[name] = by(value)
	}
}

// child returns an object within another one; an empty one if there is none.
func child(object map[string]any, name string) map[string]any {
	if found, ok := object[name].(map[string]any); ok {
		return found
	}
	return map[string]any{}
}
