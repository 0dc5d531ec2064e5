package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// own is what the names of plugins begin with that this project brings.
const own = "kube-sync"

var pluginName = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// secretKey names one value in a Secret.
type secretKey struct{ namespace, name, key string }

// patch adds a value at a path of the configuration.
type patch struct {
	path string
	from secretKey
}

func (k secretKey) read(r *unit.Reader) ([]byte, error) {
	key := unit.Secret.Key(k.namespace, k.name)
	secret, ok := unit.Get[*corev1.Secret](r, key)
	if !ok {
		return nil, unit.WithFault(fmt.Errorf("%s does not exist", key), unit.Fault{Missing: key})
	}
	value, ok := secret.Data[k.key]
	if !ok {
		return nil, fmt.Errorf("%s has no key %q", key, k.key)
	}
	return value, nil
}

// The fields of a plugin.
var (
	pluginField = field.NewPath("plugin")
	configField = field.NewPath("config")
	fromField   = field.NewPath("configFrom")
)

// against is an error about a field of a plugin.
func against(path field.Path, format string, args ...any) error {
	return within(path, fmt.Errorf(format, args...))
}

// within is an error about what a field refers to.
func within(path field.Path, err error) error {
	return unit.WithFault(err, unit.Lacking(path, unit.FaultOf(err, "").Missing))
}

// configuration is the plugin's, a JSON object. Its errors do not tell what is in Secrets.
func (s source) configuration(r *unit.Reader) (map[string]any, error) {
	raw := s.config
	switch {
	case s.name == "":
		return nil, against(pluginField, "the field plugin is empty")
	case !pluginName.MatchString(s.name):
		// Ids of Kong's entities are made of it and of others' names, told apart by other characters.
		return nil, against(pluginField, "the field plugin is %q, and the name of a plugin has lower case letters, digits, - and _ alone", s.name)
	case strings.HasPrefix(s.name, own):
		// They could lead requests to whatever upstream there is, past all grants.
		return nil, against(pluginField, "the plugin %s is for what kube-sync makes itself", s.name)
	case s.from != nil && (len(raw) > 0 || len(s.patches) > 0):
		return nil, against(fromField, "configFrom excludes config and configPatches")
	case s.from != nil:
		value, err := s.from.read(r)
		if err != nil {
			return nil, within(fromField.Child("secretKeyRef"), fmt.Errorf("configFrom: %w", err))
		}
		if raw, err = r.Limits().YAMLToJSON(value); err != nil {
			return nil, against(fromField.Child("secretKeyRef"), "configFrom: key %q of Secret %s/%s: %w", s.from.key, s.from.namespace, s.from.name, err)
		}
	}
	if len(raw) == 0 || string(raw) == "null" {
		raw = json.RawMessage("{}")
	}
	if err := r.Limits().ConfigSize(len(raw)); err != nil {
		return nil, err
	}
	config, err := decode(raw)
	if err != nil {
		return nil, errors.New("the configuration is not an object")
	}
	return s.patched(r, config, len(raw))
}

func (s source) patched(r *unit.Reader, config any, size int) (map[string]any, error) {
	for i, p := range s.patches {
		where, at := fmt.Sprintf("configPatches %d (%s)", i, p.path), field.NewPath("configPatches").Index(i)
		text, err := p.from.read(r)
		if err != nil {
			return nil, within(at.Child("valueFrom", "secretKeyRef"), fmt.Errorf("%s: %w", where, err))
		}
		size += len(p.path) + len(text)
		if err := r.Limits().ConfigSize(size); err != nil {
			return nil, within(at, fmt.Errorf("%s: %w", where, err))
		}
		value, err := decode(text)
		if err != nil {
			return nil, against(at.Child("valueFrom", "secretKeyRef"), "%s: key %q of Secret %s/%s is not JSON; a text needs its quotes",
				where, p.from.key, p.from.namespace, p.from.name)
		}
		tokens, err := pointer(p.path)
		if err == nil {
			config, err = add(config, tokens, value)
		}
		if err != nil {
			return nil, within(at.Child("path"), fmt.Errorf("%s: %w", where, err))
		}
	}
	object, ok := config.(map[string]any)
	if !ok {
		return nil, errors.New("the configuration is not an object")
	}
	return kong.WithoutNulls(object), nil
}

// decode reads JSON and keeps its numbers as they are.
func decode(raw []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err = decoder.Decode(&value); err == nil && decoder.More() {
		err = errors.New("there is more than one value")
	}
	return value, err
}

// pointer reads a JSON Pointer.
func pointer(path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	if path[0] != '/' {
		return nil, errors.New("the path does not begin with a slash")
	}
	tokens := strings.Split(path[1:], "/")
	if len(tokens) > limit.Depth {
		return nil, fmt.Errorf("the path has %d parts, and a configuration has at most %d lists and objects in one another", len(tokens), limit.Depth)
	}
	for i, token := range tokens {
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return tokens, nil
}

// add is JSON Patch's operation of that name, except that objects which are missing on
// the way are made.
func add(document any, path []string, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	name, rest := path[0], path[1:]
	switch document := document.(type) {
	case nil:
		return add(map[string]any{}, path, value)
	case map[string]any:
		child, err := add(document[name], rest, value)
		document[name] = child
		return document, err
	case []any:
		return addToList(document, name, rest, value)
	}
	return document, fmt.Errorf("there is neither an object nor a list to add %q to", name)
}

func addToList(list []any, name string, rest []string, value any) (any, error) {
	at := len(list)
	if name != "-" {
		n, err := strconv.Atoi(name)
		if err != nil || n < 0 || n > len(list) {
			return list, fmt.Errorf("%q is no place in a list of %d", name, len(list))
		}
		at = n
	}
	if len(rest) > 0 && at < len(list) {
		child, err := add(list[at], rest, value)
		list[at] = child
		return list, err
	}
	child, err := add(nil, rest, value)
	longer := append(list[:at:at], child)
	return append(longer, list[at:]...), err
}
