package cli

import (
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// lineOf returns the line of a field of an object, such as spec.rules[0].host, or of the innermost
// part of the path that exists.
func lineOf(survey *manifest.Survey, p manifest.Position, path field.Path) int {
	if p.Item == 0 && path == "" {
		return p.Line
	}
	written, first := survey.Text(p)
	var document yaml.Node
	if yaml.Unmarshal(written, &document) != nil || len(document.Content) == 0 {
		return p.Line
	}
	node, line := document.Content[0], p.Line
	if p.Item > 0 {
		path = path.Within(field.NewPath("items").Index(p.Item - 1))
	}
	for _, step := range path.Steps() {
		next, at := child(node, step)
		if next == nil {
			break
		}
		node, line = next, first+at-1
	}
	return line
}

// child returns a part of a node, and the line of its name or of its value.
func child(node *yaml.Node, step string) (*yaml.Node, int) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i+1], node.Content[i].Line
			}
		}
	case yaml.SequenceNode:
		if n, err := strconv.Atoi(step); err == nil && n >= 0 && n < len(node.Content) {
			return node.Content[n], node.Content[n].Line
		}
	}
	return nil, 0
}
