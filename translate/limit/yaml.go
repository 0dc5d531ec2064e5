package limit

import (
	"errors"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// errNotYAML does not quote the value, which may be secret.
var errNotYAML = errors.New("the configuration is neither JSON nor YAML")

// YAMLToJSON converts a configuration in YAML or JSON to JSON. It checks the expanded size of
// aliases before it expands them.
func (l Limits) YAMLToJSON(text []byte) ([]byte, error) {
	if err := l.ConfigSize(len(text)); err != nil {
		return nil, err
	}
	var document yamlv3.Node
	if yamlv3.Unmarshal(text, &document) != nil {
		return nil, errNotYAML
	}
	e := expansion{limits: l, known: map[*yamlv3.Node]int{}}
	if _, err := e.size(&document, 0); err != nil {
		return nil, err
	}
	encoded, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, errNotYAML
	}
	return encoded, nil
}

// expansion computes the size of a document with expanded aliases.
type expansion struct {
	limits Limits
	// known holds the sizes of nodes with anchors; -1 while a size is being computed.
	known map[*yamlv3.Node]int
}

// size returns a lower bound of a node's size in JSON, in bytes.
func (e expansion) size(n *yamlv3.Node, depth int) (int, error) {
	if depth > 2*Depth {
		return 0, errDepth
	}
	if n.Kind == yamlv3.AliasNode {
		return e.size(n.Alias, depth+1)
	}
	if n.Anchor != "" {
		if size, ok := e.known[n]; ok && size < 0 {
			return 0, errors.New("an alias is part of the value that it refers to")
		} else if ok {
			return size, nil
		}
		e.known[n] = -1
	}
	size := len(n.Value) + 1
	for _, child := range n.Content {
		more, err := e.size(child, depth+1)
		if err != nil {
			return 0, err
		}
		if size += more; Exceeds(size, e.limits.PluginConfig) {
			return 0, &Exceeded{"the configuration with its aliases expanded", size, "bytes or more", e.limits.PluginConfig, PluginConfig}
		}
	}
	if n.Anchor != "" {
		e.known[n] = size
	}
	return size, nil
}
