package limit

import (
	"errors"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// errNotYAML tells nothing of the text, which may be a Secret's.
var errNotYAML = errors.New("the configuration is neither JSON nor YAML")

// YAMLToJSON converts a configuration in YAML, or JSON, to JSON. What its aliases expand to
// is known before they are expanded.
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

// expansion finds out what a document takes when its aliases are expanded.
type expansion struct {
	limits Limits
	// known are the sizes of the nodes with anchors; -1 is that of one that is looked at.
	known map[*yamlv3.Node]int
}

// size is that of a node in JSON, in bytes, or less.
func (e expansion) size(n *yamlv3.Node, depth int) (int, error) {
	if depth > 2*Depth {
		return 0, errDepth
	}
	if n.Kind == yamlv3.AliasNode {
		return e.size(n.Alias, depth+1)
	}
	if n.Anchor != "" {
		if size, ok := e.known[n]; ok && size < 0 {
			return 0, errors.New("an alias is part of what it stands for")
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
