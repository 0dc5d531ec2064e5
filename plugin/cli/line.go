package cli

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// lineFinder finds the lines of fields. It parses each document once.
type lineFinder struct {
	survey *manifest.Survey
	// roots are the contents of the documents by their positions; nil for one that is not YAML.
	roots map[manifest.Position]*yaml.Node
}

// root returns the content of the document at a position.
func (f *lineFinder) root(p manifest.Position, written []byte) *yaml.Node {
	p.Item = 0
	if root, ok := f.roots[p]; ok {
		return root
	}
	var document yaml.Node
	var root *yaml.Node
	if yaml.Unmarshal(written, &document) == nil && len(document.Content) > 0 {
		root = document.Content[0]
	}
	if f.roots == nil {
		f.roots = map[manifest.Position]*yaml.Node{}
	}
	f.roots[p] = root
	return root
}

// lineOf returns the line of a field of an object, such as spec.rules[0].host, or of the innermost
// part of the path that exists.
func (f *lineFinder) lineOf(p manifest.Position, path field.Path) int {
	if p.Item == 0 && path == "" {
		return p.Line
	}
	written, first := f.survey.Text(p)
	node, line := f.root(p, written), p.Line
	if node == nil {
		return line
	}
	if p.Item > 0 {
		path = path.Within(field.NewPath("items").Index(p.Item - 1))
	}
	for rest := string(path); rest != ""; {
		next := step(node, rest)
		if next.value == nil {
			break
		}
		node, line, rest = next.value, first+next.line-1, next.rest
	}
	return line
}

// stepped is a part of a node, the line of its name or of its value, and the rest of a path within it.
type stepped struct {
	value *yaml.Node
	line  int
	rest  string
}

// step returns the part of a node in which a path starts; its value is nil if there is no such part.
func step(node *yaml.Node, path string) stepped {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch node.Kind {
	case yaml.MappingNode:
		return entry(node, path)
	case yaml.SequenceNode:
		index, rest, _ := strings.Cut(strings.TrimPrefix(path, "["), "]")
		if n, err := strconv.Atoi(index); err == nil && n >= 0 && n < len(node.Content) {
			return stepped{node.Content[n], node.Content[n].Line, rest}
		}
	}
	return stepped{}
}

// entry returns the entry of a mapping in which a path starts. A key may have dots, so that several
// keys may fit: the longest one does.
func entry(mapping *yaml.Node, path string) stepped {
	var found, merged stepped
	length := -1
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if rest, ok := cutKey(path, key.Value); ok && len(key.Value) > length {
			found, length = stepped{value, key.Line, rest}, len(key.Value)
		}
		if key.Tag == "!!merge" {
			merged = mergedEntry(value, path)
		}
	}
	switch {
	case found.value != nil:
		return found
	case merged.value != nil:
		return merged
	}
	// An API server moves stringData of a Secret into data.
	if rest, ok := cutKey(path, "data"); ok {
		return entry(mapping, "stringData"+rest)
	}
	return stepped{}
}

// mergedEntry is entry for the value of a key <<, which is a mapping or a list of mappings.
func mergedEntry(value *yaml.Node, path string) (found stepped) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	switch value.Kind {
	case yaml.MappingNode:
		return entry(value, path)
	case yaml.SequenceNode:
		for _, one := range value.Content {
			if found = mergedEntry(one, path); found.value != nil {
				return found
			}
		}
	}
	return stepped{}
}

// cutKey returns a path without the name or key with which it starts.
func cutKey(path, key string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(path, "["+key+"]"); ok {
		return rest, true
	}
	rest, ok = strings.CutPrefix(strings.TrimPrefix(path, "."), key)
	return rest, ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
