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

// own is the prefix of the names of this project's plugins.
const own = "kube-sync"

var pluginName = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// secretKey refers to a value in a Secret.
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

// errorAt returns an error about a field of a plugin.
func errorAt(path field.Path, format string, args ...any) error {
	return wrapAt(path, fmt.Errorf(format, args...))
}

// wrapAt returns an error about what a field refers to.
func wrapAt(path field.Path, err error) error {
	return unit.WithFault(err, unit.Lacking(path, unit.FaultOf(err, "").Missing))
}

// configuration returns the plugin's configuration. Errors do not reveal the content of Secrets.
func (s source) configuration(r *unit.Reader) (map[string]any, error) {
	raw := s.config
	switch {
	case s.name == "":
		return nil, errorAt(pluginField, "the field plugin is empty")
	case !pluginName.MatchString(s.name):
		// Ids of Kong's entities are made of several names with other characters as separators.
		return nil, errorAt(pluginField, "the field plugin is %q; only lower case letters, digits, - and _ are allowed", s.name)
	case strings.HasPrefix(s.name, own):
		// These plugins can send requests to any upstream, without a ReferenceGrant.
		return nil, errorAt(pluginField, "the plugin %s is reserved for kube-sync itself", s.name)
	case s.from != nil && (len(raw) > 0 || len(s.patches) > 0):
		return nil, errorAt(fromField, "configFrom cannot be combined with config or configPatches")
	case s.from != nil:
		value, err := s.from.read(r)
		if err != nil {
			return nil, wrapAt(fromField.Child("secretKeyRef"), fmt.Errorf("configFrom: %w", err))
		}
		if raw, err = r.Limits().YAMLToJSON(value); err != nil {
			return nil, errorAt(fromField.Child("secretKeyRef"), "configFrom: key %q of Secret %s/%s: %w", s.from.key, s.from.namespace, s.from.name, err)
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
			return nil, wrapAt(at.Child("valueFrom", "secretKeyRef"), fmt.Errorf("%s: %w", where, err))
		}
		size += len(p.path) + len(text)
		if err := r.Limits().ConfigSize(size); err != nil {
			return nil, wrapAt(at, fmt.Errorf("%s: %w", where, err))
		}
		value, err := decode(text)
		if err != nil {
			return nil, errorAt(at.Child("valueFrom", "secretKeyRef"), "%s: key %q of Secret %s/%s is not JSON; a string needs quotes",
				where, p.from.key, p.from.namespace, p.from.name)
		}
		tokens, err := pointer(p.path)
		if err == nil {
			config, err = add(config, tokens, value)
		}
		if err != nil {
			return nil, wrapAt(at.Child("path"), fmt.Errorf("%s: %w", where, err))
		}
	}
	object, ok := config.(map[string]any)
	if !ok {
		return nil, errors.New("the configuration is not an object")
	}
	return kong.WithoutNulls(object), nil
}

// decode parses JSON and keeps numbers as written.
func decode(raw []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err = decoder.Decode(&value); err == nil && decoder.More() {
		err = errors.New("there is more than one value")
	}
	return value, err
}

// pointer parses a JSON Pointer.
func pointer(path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	if path[0] != '/' {
		return nil, errors.New("the path does not begin with a slash")
	}
	tokens := strings.Split(path[1:], "/")
	if len(tokens) > limit.Depth {
		return nil, fmt.Errorf("the path has %d parts, but a configuration may nest lists and objects only %d deep", len(tokens), limit.Depth)
	}
	for i, token := range tokens {
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return tokens, nil
}

// add is the operation "add" of JSON Patch, except that it creates missing objects on the path.
// evanphx/json-patch with EnsurePathExistsOnAdd is no alternative: for a path such as /a/100000/b,
// which a tenant may write, it fills the list up to the index and allocated 38 GB.
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
	return document, fmt.Errorf("%q can be added to an object or list only", name)
}

func addToList(list []any, name string, rest []string, value any) (any, error) {
	at := len(list)
	if name != "-" {
		n, err := strconv.Atoi(name)
		if err != nil || n < 0 || n > len(list) {
			return list, fmt.Errorf("%q is not an index of a list with %d elements", name, len(list))
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
